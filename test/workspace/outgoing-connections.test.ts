import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { projects, workspaceRoot } from './workspace.ts'

/** What opens a connection of its own. `http.request` with `createConnection` opens none, and the SDK of AWS gets agents. */
const CONNECTS =
  /\b(?:net\.(?:connect|createConnection)|new (?:net\.)?Socket|new WebSocket|(?:await|return) fetch|https?\)?\.get|new (?:Secure)?Agent)\(/g

it('a source connects only to addresses that its worker allows', () => {
  const sources = projects().flatMap(({ folder, manifest }) => (manifest.tributary?.kind === 'source' ? [folder] : []))
  const files = globSync(
    [...sources, 'libs/connect-api', 'libs/push-source', 'libs/schema-registry'].map(
      (folder) => `${folder}/src/**/*.ts`,
    ),
    { cwd: workspaceRoot },
  )
  const found = files.flatMap((file) => {
    if (/\.test\.ts$|\/testing/.test(file)) return []
    const text = readFileSync(join(workspaceRoot, file), 'utf8')
    const made = text.match(CONNECTS)
    return made === null ? [] : [[file, made.length, text.includes('allowedAddress(')] as const]
  })
  assert.ok(found.length >= 3)
  // Each opens its connection with `...allowedAddress(host)`.
  assert.deepEqual(
    found.filter(([, , checks]) => !checks),
    [],
  )
})
