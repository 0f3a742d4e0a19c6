import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parseProperties } from '@tributary/config'
import type { ConnectRecord, Schema } from '@tributary/connect-api'
import { createChain } from './chain.ts'
import { compileExpression } from './expressions/expression.ts'
import { PREDICATES, TRANSFORMATIONS } from './index.ts'

/** The examples of docs/transforms do what the pages say. */

function page(name: string): string {
  return readFileSync(new URL(`../../../docs/transforms/${name}.md`, import.meta.url), 'utf8')
}

function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!)
}

function properties(text: string): Record<string, string> {
  return Object.fromEntries(parseProperties(text))
}

/** The rows of the table that begins with these columns, without code marks. */
function table(text: string, ...columns: readonly string[]): readonly (readonly string[])[] {
  const rows = text.split('\n').map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  )
  const start = rows.findIndex((row) => columns.every((column, at) => row[at] === column))
  assert.ok(start >= 0, columns.join())
  const after = rows.slice(start + 2)
  return after.slice(
    0,
    after.findIndex((row) => row.length === 0),
  )
}

const code = (cell: string): string => cell.replace(/^`+|`+$/g, '')

describe('docs/transforms/expressions.md', () => {
  const text = page('expressions')
  const record: ConnectRecord = {
    topic: 'orders',
    key: null,
    value: JSON.parse(blocks(text, 'json')[0]!) as unknown,
    headers: [{ name: 'trace', value: 't-1' }],
    timestamp: Date.UTC(2026, 0, 1),
  }
  for (const [expression, result] of table(text, 'expression', 'result')) {
    it(`${expression} gives ${result}`, () => {
      const evaluate = (): unknown => compileExpression(code(expression!), 'expression', 'any').evaluate(record)
      if (result === 'error') assert.throws(evaluate, { name: 'DataError' })
      else assert.deepEqual(plain(evaluate()), JSON.parse(code(result!)))
    })
  }
})

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

const ROW: Schema = { type: 'struct', optional: true, fields: [{ name: 'id', schema: { type: 'int32' } }] }
const DELETION: ConnectRecord = {
  topic: 't',
  key: null,
  value: { before: { id: 1 }, after: null, op: 'd' },
  valueSchema: {
    type: 'struct',
    name: 't.Envelope',
    fields: [
      { name: 'before', schema: ROW },
      { name: 'after', schema: ROW },
      { name: 'op', schema: { type: 'string' } },
    ],
  },
  timestamp: 1,
}
const TOMBSTONE: ConnectRecord = { ...DELETION, value: null, valueSchema: null }

describe('docs/transforms/debezium.md', () => {
  const text = page('debezium')
  for (const [settings, deletion, tombstone] of table(text, 'setting', 'of the deletion is left')) {
    it(`${settings} leaves ${deletion} and ${tombstone}`, () => {
      const props = Object.fromEntries(
        [...settings!.matchAll(/`([^=`]+)=([^`]+)`/g)].map(([, key, value]) => [key!, value!]),
      )
      const unwrap = TRANSFORMATIONS.find((one) => one.class.endsWith('.ExtractNewRecordState'))!.create(props)
      const left = [DELETION, TOMBSTONE].map((record) => {
        const result = unwrap.apply(record)
        return result === null ? 'nothing' : result.value === null ? 'a tombstone' : 'the row with `__deleted`'
      })
      assert.deepEqual(left, [deletion, tombstone])
    })
  }

  for (const [, cel] of table(text, 'Groovy or JavaScript', 'CEL')) {
    it(`${cel} is CEL`, () => {
      compileExpression(code(cel!), 'condition', 'bool')
    })
  }

  it('has the chains that are tested on events of Cassandra', () => {
    const meant = readFileSync(new URL('../../../test/fixtures/cassandra-events/meant.json', import.meta.url), 'utf8')
    const { source, sink } = JSON.parse(meant) as Record<string, Record<string, string>>
    assert.deepEqual(blocks(text, 'properties').slice(-2).map(properties), [source, sink])
  })
})

describe('the configurations in docs/transforms', () => {
  for (const name of ['expressions', 'debezium', 'envelopes']) {
    for (const [at, block] of blocks(page(name), 'properties').entries()) {
      it(`${name}.md, number ${at + 1}`, () => {
        createChain(properties(block), { transformations: TRANSFORMATIONS, predicates: PREDICATES })
      })
    }
  }
})
