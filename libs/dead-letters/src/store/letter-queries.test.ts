import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readDeadLetter } from '@tributary/connect-api'
import { openDatabase } from './database.ts'
import { LetterQueries } from './letter-queries.ts'
import { LetterStore, type NewLetter } from './letter-store.ts'
import { matchExpression } from './words.ts'

function letter(offset: number, time: number, message: string, connector: string | null): NewLetter {
  const headers: [string, Buffer][] = [['__connect.errors.exception.message', Buffer.from(message)]]
  if (connector !== null) headers.push(['__connect.errors.connector.name', Buffer.from(connector)])
  const record = { offset: BigInt(offset), timestamp: time, key: null, value: Buffer.from('payload') }
  return { record, letter: readDeadLetter({ ...record, headers }) }
}

describe('questions about dead letters', () => {
  const folder = mkdtempSync(join(tmpdir(), 'letters-'))
  let store: LetterStore
  let queries: LetterQueries
  let close: () => void
  let next = 0
  const add = (time: number, message: string, connector: string | null): void =>
    store.add('t', [{ partition: 0, letters: [letter(next++, time, message, connector)], next: BigInt(next) }])

  before(async () => {
    const opened = await openDatabase(folder)
    store = new LetterStore(opened.database)
    store.open('t', 'id', [0])
    const reader = new DatabaseSync(opened.file, { readOnly: true })
    queries = new LetterQueries(reader, store, () => Promise.resolve())
    close = () => {
      reader.close()
      opened.close()
    }
    for (let i = 0; i < 6; i++) add(1000 + i, `old ${i}`, i % 3 === 0 ? null : `c${i % 3}`)
  })
  after(() => {
    close()
    rmSync(folder, { recursive: true })
  })

  test('letters that come between two pages move no page', async () => {
    const first = await queries.query({ topics: ['t'], to: 1005 }, { limit: 3 })
    add(5000, 'new', 'c1')
    add(999, 'late, with an old time', 'c1')
    const page = await queries.query({}, { limit: 100, cursor: first.next! })
    assert.deepEqual(
      page.records.map(({ message }) => message),
      ['old 2', 'old 1', 'old 0', 'late, with an old time'],
    )
    assert.equal(page.next, null)
    const unknown = await queries.query({}, { limit: 1, cursor: "1' OR 1" })
    assert.deepEqual([unknown.records, unknown.next], [[], null])
  })

  test('letters of connectors that the caller may not see are in no page, count, statistic or choice', async () => {
    const filter = { visible: ['c1', null], to: 1005, from: 1000 }
    const { records, total } = await queries.query(filter, { limit: 100 })
    assert.deepEqual([total, new Set(records.map(({ connector }) => connector))], [4, new Set(['c1', null])])
    const hidden = await queries.query({}, { limit: 100 })
    const ids = hidden.records.filter(({ connector }) => connector === 'c2').map(({ id }) => id)
    assert.equal(ids.length, 2)
    assert.equal((await queries.query({ ...filter, ids }, { limit: 100 })).total, 0)
    assert.deepEqual(Object.keys((await queries.stats(filter)).byConnector).includes('c2'), false)
    assert.equal((await queries.select(filter, 100)).length, 4)
    assert.equal(await queries.count({ visible: [] }), 0)
    assert.equal(await queries.count({ ...filter, text: 'old 2' }), 0)
  })

  test('no character of a text but letters and digits reaches the expression', async () => {
    const texts = ['"', 'a" OR "b', 'NEAR(a b)', '-old', 'text:old', '^old', 'a*b', "';--", '\0', '(', 'old AND', '{x}']
    for (const text of texts) {
      assert.match(matchExpression(text) ?? '"x"', /^"[\p{L}\p{N}]+"\*?( AND "[\p{L}\p{N}]+"\*?)*$/u, text)
      await queries.query({ text, inPayload: true }, { limit: 10 })
    }
    assert.equal(await queries.count({ text: 'NOT old' }), 0, 'an operator is a word')
    assert.equal(await queries.count({ text: '-OLD' }), await queries.count({ text: 'old' }))
    assert.equal(await queries.count({ text: '""' }), 0, 'no word is in no letter')
  })
})
