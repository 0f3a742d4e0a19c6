import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { transformContract } from '@tributary/testkit'
import { workspaceRoot } from '../workspace.ts'
import { shorten } from './shorten.ts'

for (const plugin of shorten) {
  transformContract(plugin, { props: { 'max.length': '3' }, refused: [{ props: { 'max.length': '0' }, field: 'max.length' }] }) // prettier-ignore
}

test('the value is cut, and the key stays', () => {
  const [, value] = shorten
  const transform = value.create({ 'max.length': '3' })
  const record = { topic: 't', key: 'quotes', value: 'EURUSD', timestamp: null }
  assert.deepEqual(transform.apply(record), { ...record, value: 'EUR', valueSchema: null })
})

test('docs/adding-a-transform.md shows this transform', () => {
  const page = readFileSync(join(workspaceRoot, 'docs/adding-a-transform.md'), 'utf8')
  const code = readFileSync(join(import.meta.dirname, 'shorten.ts'), 'utf8')
  assert.ok(page.includes(`\`\`\`ts\n${code}\`\`\``), 'the page and shorten.ts differ')
})
