import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript'
import { projects, workspaceRoot } from './workspace.ts'

const readme = (folder: string): string => readFileSync(join(workspaceRoot, folder, 'README.md'), 'utf8')

describe('each app and lib', () => {
  for (const { folder } of projects()) {
    const entry = folder.startsWith('apps/') ? 'src/main.ts' : 'src/index.ts'

    it(`${folder} has a README that names its entry point`, () => {
      assert.ok(readme(folder).includes(entry), `${folder}/README.md does not name ${entry}`)
      assert.ok(existsSync(join(workspaceRoot, folder, entry)), `${folder}/${entry} does not exist`)
    })
  }
})

describe('the TypeScript examples of the READMEs', () => {
  /** Texts of the examples, by the paths of files that would contain them. */
  const examples = new Map(
    projects().flatMap(({ folder }) =>
      [...readme(folder).matchAll(/```ts\n([^]*?)```/g)].map(([, text], i) => [
        join(workspaceRoot, folder, `src/README-${i + 1}.ts`),
        text!,
      ]),
    ),
  )
  const planted = join(workspaceRoot, 'libs/async/src/README-planted.ts')
  const errors = typeErrors(
    new Map([...examples, [planted, "import { sleep } from '@tributary/async'\nawait sleep('1')\n"]]),
  )

  it('compile', () => {
    assert.ok(examples.size > 10)
    assert.deepEqual(
      errors.filter((error) => !error.startsWith(planted)),
      [],
    )
  })

  it('would be found if they did not compile', () => {
    assert.ok(errors.some((error) => error.startsWith(planted)))
  })
})

/** The compiler's errors in files that exist in memory only. A relative import may name a file that the reader has to write. */
function typeErrors(files: ReadonlyMap<string, string>): string[] {
  const file = join(workspaceRoot, 'tsconfig.base.json')
  const config: unknown = ts.readConfigFile(file, (path) => ts.sys.readFile(path)).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, workspaceRoot)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path) ?? readFile(path)
  const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, host)
  return [...files.keys()].flatMap((path) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(path))
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
      .filter((error) => !error.includes("Cannot find module './")),
  )
}
