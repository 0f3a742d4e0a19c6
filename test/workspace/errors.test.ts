import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageErrors } from './generated-pages.ts'
import { isTestFile } from './imports/layers.ts'
import { workspaceRoot } from './workspace.ts'

/** An error that is created without `defineErrors`, or a class of errors that would hide one. */
const MADE = /\b(?:new|extends)\s+((?:Connect|Retriable|Data|Config|Fatal|NotConnected)Error)\b/g
const DEFINES = /\bdefineErrors\(/

const MEND =
  "define the code in the package's src/errors.ts (see defineErrors of connect-api) and call it: grpcErrors.GRPC_CONNECT('…')"

/** Statements of a file that only a package's errors.ts may contain. Comments do not count. */
function problems(file: string, text: string): string[] {
  const code = text.replaceAll(/\/\*.*?\*\/|^\s*\/\/.*$/gms, '')
  const made = [...code.matchAll(MADE)].map(([, name]) => `${file} makes a ${name} itself: ${MEND}`)
  return DEFINES.test(code) ? [...made, `${file} calls defineErrors, which npm run docs does not see: ${MEND}`] : made
}

describe('errors with a code', () => {
  it('are created only by defineErrors', () => {
    const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: workspaceRoot }).filter(
      (file) => !isTestFile(file) && !/^(apps|libs)\/[^/]+\/src\/(common-)?errors\.ts$/.test(file),
    )
    assert.ok(files.length > 100)
    assert.deepEqual(
      files.flatMap((file) => problems(file, readFileSync(join(workspaceRoot, file), 'utf8'))),
      [],
    )
  })

  it('are found however they are created', () => {
    const seen = (text: string): number => problems('x.ts', text).length
    assert.equal(seen("throw new DataError(code, 'x')"), 1)
    assert.equal(seen('const E = class Own extends\n  ConfigError {}'), 1)
    assert.equal(seen('export const own = defineErrors({})'), 1)
    assert.equal(seen("// new DataError('X')\nthrow xErrors.X('x')"), 0)
  })

  it('have one owner for each code, and a text for users', async () => {
    const owners = new Map<string, string>()
    for (const { folder, definitions } of await packageErrors()) {
      for (const [code, { doc }] of Object.entries(definitions)) {
        assert.equal(owners.get(code), undefined, `${code} is defined by ${owners.get(code)} and by ${folder}`)
        assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
        assert.match(doc, /^.{20,}\.$/, `the doc of ${code} is no sentence`)
        owners.set(code, folder)
      }
    }
    assert.ok(owners.size > 50)
  })
})
