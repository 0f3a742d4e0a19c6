import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readServices } from './services.ts'

/** A folder of apps: name → the `tributary` block of its package.json. */
function apps(t: TestContext, declarations: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-apps-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, tributary] of Object.entries(declarations)) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ tributary }))
  }
  return folder
}

test('services start before sources, and the demo last', (t) => {
  const folder = apps(t, {
    'a-feed': { kind: 'demo' },
    'b-ingest': { kind: 'source', plugins: ['io.example.B'] },
    'c-ingest': { kind: 'source' },
    'd-plane': { kind: 'service' },
  })
  assert.deepEqual(readServices(folder), [
    { name: 'd-plane', kind: 'service', plugins: [] },
    { name: 'b-ingest', kind: 'source', plugins: ['io.example.B'] },
    { name: 'c-ingest', kind: 'source', plugins: [] },
    { name: 'a-feed', kind: 'demo', plugins: [] },
  ])
})

test('a folder without package.json, such as one that git left behind, is no app', (t) => {
  const folder = apps(t, {})
  mkdirSync(join(folder, 'removed'))
  assert.deepEqual(readServices(folder), [])
})

for (const tributary of [undefined, {}, { kind: 'sauce' }]) {
  test(`an app that declares ${JSON.stringify(tributary)} is told what to declare`, (t) => {
    const folder = apps(t, { 'x-ingest': tributary })
    const message =
      'apps/x-ingest/package.json must say "tributary": { "kind": … }, one of service, source, demo, tool.'
    assert.throws(() => readServices(folder), { name: 'LaunchError', message })
  })
}
