import { importProblems, readImports } from './read.ts'

/** The second half of `npm run lint`: prints each forbidden import, and ends with 1 if there is one. */
const problems = importProblems(readImports())
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
