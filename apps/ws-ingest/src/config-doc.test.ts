import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CONFIG_PAGE, configPage } from './config-doc.ts'
import { websocketSpec } from './config/config.ts'

test('CONFIG.md is what the spec says (npm run config-doc -w apps/ws-ingest writes it)', () => {
  assert.equal(readFileSync(CONFIG_PAGE, 'utf8'), configPage())
})

test('every key has a group, a display name and a doc text', () => {
  for (const [key, spec] of Object.entries(websocketSpec.data.keys)) {
    assert.ok(spec.group && spec.displayName && spec.doc.endsWith('.'), key)
  }
})
