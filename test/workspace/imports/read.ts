import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { projects, workspaceRoot } from '../workspace.ts'
import { circleProblems, type InnerImport } from './circles.ts'
import { layerProblem } from './layers.ts'

/** One import statement of the repository. */
export interface Import {
  /** Relative to the root of the repository. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly specifier: string
}

/** All imports of the code in apps/, libs/ and deploy/, tests included. */
export function readImports(): Import[] {
  const files = globSync(['{apps,libs}/*/**/*.ts', 'deploy/**/*.ts'], {
    cwd: workspaceRoot,
    exclude: ['**/node_modules'],
  })
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(workspaceRoot, file), 'utf8')
    const { importedFiles } = ts.preProcessFile(text)
    return (
      importedFiles
        // The scanner takes the import of a .proto text in a string for one of TypeScript.
        .filter(({ fileName }) => !fileName.endsWith('.proto'))
        .map(({ fileName, pos }) => ({ file, line: text.slice(0, pos).split('\n').length, specifier: fileName }))
    )
  })
}

/** Those that import a file by its path. */
export function innerImports(imports: readonly Import[]): InnerImport[] {
  return imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ file, line, specifier }) => ({ file, line, specifier, target: join(dirname(file), specifier) }))
}

/** @returns `file:line: what is wrong and how to mend it` for each import that the architecture forbids. */
export function importProblems(imports: readonly Import[]): string[] {
  const known = projects()
  const layers = imports.flatMap(({ file, line, specifier }) => {
    const problem = layerProblem(file, specifier, known)
    return problem === null ? [] : [`${file}:${line}: imports ${specifier}: ${problem}`]
  })
  const circles = circleProblems(innerImports(imports)).map(
    ({ at, problem }) => `${at.file}:${at.line}: imports ${at.specifier}: ${problem}`,
  )
  return [...layers, ...circles]
}
