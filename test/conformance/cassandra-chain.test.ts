import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parseJson, stringifyJson } from '@tributary/config'
import type { ConnectRecord } from '@tributary/connect-api'
import { JsonConverter } from '@tributary/converters'
import { createChain, PREDICATES, TRANSFORMATIONS, type TransformationStage } from '@tributary/transforms'

/**
 * The chains of transforms that were documented for a pipeline from Cassandra to PostgreSQL, on records as Debezium's connector for
 * Cassandra writes them (test/fixtures/cassandra-events), and what was meant by them.
 */

type Chains = Readonly<Record<'source' | 'sink', Readonly<Record<string, string>>>>

interface Events {
  readonly keySchema: unknown
  readonly valueSchema: unknown
  readonly events: readonly { readonly statement: string; readonly key: unknown; readonly value: unknown }[]
}

function fixture<T>(name: string): T {
  return parseJson(readFileSync(new URL(`../fixtures/cassandra-events/${name}.json`, import.meta.url), 'utf8')) as T
}

function converter(isKey: boolean): JsonConverter {
  const json = new JsonConverter()
  json.configure({ 'schemas.enable': 'true' }, isKey)
  return json
}

const TOPIC = 'cdc-events.shop.orders'
const keys = converter(true)
const values = converter(false)

const { keySchema, valueSchema, events } = fixture<Events>('events')
const records = events.map(({ key, value }): ConnectRecord => {
  const read = (json: JsonConverter, schema: unknown, payload: unknown) =>
    json.toConnectData(TOPIC, Buffer.from(stringifyJson({ schema, payload })))
  const [ofKey, ofValue] = [read(keys, keySchema, key), read(values, valueSchema, value)]
  return {
    topic: TOPIC,
    key: ofKey.value,
    keySchema: ofKey.schema,
    value: ofValue.value,
    valueSchema: ofValue.schema,
    timestamp: 1_795_251_513_842,
  }
})
const tombstone: ConnectRecord = { ...records[0]!, value: null, valueSchema: null }

function chain(props: Readonly<Record<string, string>>): readonly TransformationStage[] {
  return createChain(props, { transformations: TRANSFORMATIONS, predicates: PREDICATES })
}

function applied(stages: readonly TransformationStage[], record: ConnectRecord): ConnectRecord | null {
  return stages.reduce<ConnectRecord | null>((result, stage) => result && stage.apply(result), record)
}

/** Through Kafka: written by the source's converter, read by the sink's. */
function stored(record: ConnectRecord): ConnectRecord {
  const through = (json: JsonConverter, schema: ConnectRecord['keySchema'], value: unknown) =>
    json.toConnectData(TOPIC, json.fromConnectData(TOPIC, schema ?? null, value))
  const [key, value] = [through(keys, record.keySchema, record.key), through(values, record.valueSchema, record.value)]
  return { ...record, key: key.value, keySchema: key.schema, value: value.value, valueSchema: value.schema }
}

const ID = '11111111-2222-3333-4444-555555555555'

describe('the documented chain of the source', () => {
  const { source } = fixture<Chains>('documented')
  const rows = records.map((record) => applied(chain(source), record)!.value as Record<string, unknown>)

  it('gives rows with the columns that each statement set', () => {
    const columns = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !/^_|^event_id|^timestamp/.test(name))),
    )
    assert.deepEqual(columns, [
      { id: ID, line: 1, customer: 'ada', tags: ['new', 'vip'], total: 12.5, ts: 1_767_323_045_000n },
      { id: ID, line: 2, customer: 'bob' },
      { id: ID, line: 1, customer: 'ada l.', total: 13 },
      { id: ID, line: 1, tags: ['x'] },
      { id: ID, line: 1, total: null },
      { id: ID, line: 1, customer: null, tags: null, total: null, ts: null },
      { id: ID },
      { id: ID, line: null, customer: null, tags: null, total: null, ts: null },
    ])
  })

  it('adds the operation, the source and whether the row was deleted', () => {
    const added = rows.map((row) => [
      row['__op'],
      row['__source_table'],
      typeof row['__source_ts_ms'],
      row['__deleted'],
    ])
    assert.deepEqual(
      added,
      ['i', 'i', 'u', 'u', 'u', 'd', 'r', 'd'].map((op, at) => [op, 'orders', 'bigint', at < 5 ? 'false' : 'true']),
    )
    // The deletion of a range says which.
    assert.equal((rows[6]!['_range_start'] as { method: string }).method, 'INCL_START_BOUND')
  })

  it('passes tombstones', () => {
    assert.equal(applied(chain(source), tombstone), tombstone)
  })

  it('writes ${uuid} and the time of the record as Kafka does', () => {
    assert.deepEqual([...new Set(rows.map((row) => row['event_id']))], ['${uuid}'])
    assert.deepEqual(rows[0]!['timestamp_micros'], new Date(1_795_251_513_842))
  })
})

describe('the documented chain of the sink', () => {
  const { sink } = fixture<Chains>('documented')
  it('is refused, as its last transform has a field without a value', () => {
    assert.throws(() => chain(sink), {
      name: 'ConfigError',
      message: /No value specified for static field: _ttl_expiry_timestamp/,
    })
  })
  it('would drop every record', () => {
    const stages = chain({ ...sink, transforms: 'addCdcMetadata,handleDeletes' })
    assert.deepEqual(
      records.map((record) => applied(stages, record)),
      records.map(() => null),
    )
  })
})

describe('what was meant', () => {
  const { source, sink } = fixture<Chains>('meant')
  const rows = records.map((record) => stored(applied(chain(source), record)!))
  const written = rows.map((row) => applied(chain(sink), row)!)
  const value = (record: ConnectRecord) => record.value as Record<string, unknown>

  it('gives every event an id of its own, and the same one when it is read again', () => {
    const ids = rows.map((row) => value(row)['event_id'])
    assert.equal(new Set(ids).size, records.length)
    assert.deepEqual(
      records.map((record) => value(applied(chain(source), record)!)['event_id']),
      ids,
    )
  })

  it('has the time of the change in µs', () => {
    const wanted = events.map((event) => BigInt((event.value as { source: { ts_us: number } }).source.ts_us))
    assert.deepEqual(
      rows.map((row) => value(row)['timestamp_micros']),
      wanted,
    )
    assert.deepEqual(
      written.slice(0, 5).map((row) => value(row)['_cdc_timestamp_micros']),
      wanted.slice(0, 5),
    )
  })

  it('makes tombstones of deletions and rows of the rest', () => {
    assert.deepEqual(
      written.map((record) => record.value === null),
      [false, false, false, false, false, true, true, true],
    )
    assert.deepEqual(written.at(-3)!.key, { id: ID, line: 1 })
  })

  it('says when a row with a time to live expires', () => {
    const { after } = events[1]!.value as { after: { customer: { deletion_ts: number } } }
    assert.deepEqual(
      written.slice(0, 5).map((row) => value(row)['_ttl_expiry_timestamp']),
      [null, new Date(after.customer.deletion_ts / 1000), null, null, null],
    )
  })
})
