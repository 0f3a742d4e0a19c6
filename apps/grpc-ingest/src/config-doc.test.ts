import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CONFIG_PAGE, configPage } from './config-doc.ts'
import { grpcSpec } from './config/spec.ts'

test('CONFIG.md is what the spec says (npm run config-doc -w apps/grpc-ingest writes it)', () => {
  assert.equal(readFileSync(CONFIG_PAGE, 'utf8'), configPage())
})

test('every setting has a group, a name and plain words', () => {
  for (const [key, spec] of Object.entries(grpcSpec.data.keys)) {
    assert.ok(spec.group && spec.displayName && spec.doc.endsWith('.'), key)
  }
})
