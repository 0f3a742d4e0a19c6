import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const THROWN = /new (Config|Data|Retriable|Fatal|NotConnected)Error\(\s*'([A-Z_]+)'/g
const KINDS: Readonly<Record<string, string>> = { Config: 'config', Data: 'data', Retriable: 'retriable', Fatal: 'fatal', NotConnected: 'retriable' } // prettier-ignore

test('ERRORS.md lists exactly the codes that the sources make, with their kinds', () => {
  const made = new Map<string, string>()
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root() })
  for (const file of files) {
    if (file.endsWith('.test.ts') || file.includes('/testing/')) continue
    for (const [, type, code] of readFileSync(`${root()}/${file}`, 'utf8').matchAll(THROWN)) {
      const kind = KINDS[type!]!
      assert.ok((made.get(code!) ?? kind) === kind, `${code} is made with two kinds`)
      made.set(code!, kind)
    }
  }
  const table = readFileSync(`${root()}/libs/connect-api/ERRORS.md`, 'utf8')
  const listed = new Map(
    [...table.matchAll(/^\| `([A-Z_]+)`\s+\| (\w+)\s+\| .{20,}\|$/gm)].map((row) => [row[1]!, row[2]!]),
  )
  assert.deepEqual([...listed].sort(), [...made].sort())
})

function root(): string {
  return new URL('../..', import.meta.url).pathname
}
