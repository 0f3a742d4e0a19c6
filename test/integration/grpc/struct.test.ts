import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseJson } from '@tributary/config'
import { Decimal, LOGICAL, type Props, type Schema, type SourceRecord } from '@tributary/connect-api'
import { createConverter } from '@tributary/converters'
import { encodeRequest, loadDescriptorText } from '@tributary/grpc-ingest/schema'
import { sharedSchemaRegistry, temporaryFolder } from '@tributary/harness'
import { goJson } from '../../conformance/protobuf-json/reference.ts'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'
import { fixture } from '../../support/grpc-ticker.ts'
import { read, write } from '../schema-registry/convert.ts'

const TYPE = 'struct.v1.Everything'
const leg = (symbol: string): object => ({ symbol, quantity: '-9007199254740993', prices: [1.5, -0.1, 1e300] })

const MESSAGES: readonly object[] = [
  {},
  {
    ...{ double: 0.1, float: 0.25, int: -2147483648, signed: -5, unsigned: 4294967295, long: '-9223372036854775808' },
    ...{ large: '9223372036854775807', fixed: '9007199254740993', bool: true, string: 'ü "\\', bytes: 'AAEC/w==' },
    ...{ side: 'SELL', maybe: 0, many: [1, -1, 2147483647], sides: ['BUY', 'NONE'], wrapped: '0', note: '' },
    ...{
      legs: { a: leg('EURUSD'), '': leg('') },
      counts: { x: '1', __proto__x: '-1' },
      leg: leg('L'),
      list: [leg('1'), {}],
    },
    ...{
      other: leg('O'),
      at: '2024-02-29T23:59:59.999Z',
      took: '3.000000001s',
      extra: { k: [1, 'two', null, { d: true }] },
    },
    ...{ next: { int: 7, next: { string: 'deep' } } },
  },
  { text: '', at: '1969-12-31T23:59:59.001Z', took: '-0.500s', sides: [9], side: 77 },
  { number: '-1', float: 'NaN', double: '-Infinity', many: [] },
]

const UNKNOWN_ENUM = 2

/** The value as protobuf's JSON shows it. */
function protoJson(schema: Schema, value: unknown, top = true): unknown {
  if (value === null || value === undefined) return undefined
  if (value instanceof Decimal || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((item) => protoJson(schema.valueSchema!, item, false))
  if (value instanceof Map) {
    return Object.fromEntries(
      [...(value as Map<string, unknown>)].map(([k, v]) => [k, protoJson(schema.valueSchema!, v, false)]),
    )
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object') return value
  return Object.fromEntries(
    schema.fields!.flatMap(({ name, schema: of }) => {
      const member = protoJson(of, (value as Record<string, unknown>)[name], false)
      return member === undefined ? [] : [[name, top && JSON_TEXTS.has(name) ? parseJson(member as string) : member]]
    }),
  )
}
const JSON_TEXTS = new Set(['extra', 'next'])

/** protobuf-go shows an unknown number of an enum, and a uint32, as a number. */
const AS_TEXT = new Set(['side', 'sides', 'unsigned'])
const comparable = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json), (key, value: unknown) => (AS_TEXT.has(key) ? [value].flat().map(String) : value))

/** Kafka's JsonConverter has no form for what is no number: it writes null, which reads as the default. */
const asJsonHas = (view: unknown): unknown =>
  JSON.parse(JSON.stringify(view), (_, value: unknown) => (value === 'NaN' || value === '-Infinity' ? 0 : value))

describe('structs of messages from grpc-go', () => {
  let server: ForeignServer
  let encoded: Buffer[]
  let views: unknown[]
  before(async () => {
    const root = await loadDescriptorText(fixture('struct.desc'))
    const type = root.messages.get(TYPE)!
    encoded = MESSAGES.map((message) => Buffer.from(encodeRequest(type, JSON.stringify(message))))
    const file = join(temporaryFolder('struct-messages-'), 'messages')
    await writeFile(file, encoded.map((bytes) => `${bytes.toString('base64')}\n`).join(''))
    server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args: ['-messages', file] })
    const verdicts = await goJson(
      fixture('struct.desc'),
      encoded.map((bytes) => ({ type: TYPE, bytes })),
    )
    views = verdicts.map((verdict) => JSON.parse(verdict.kind === 'json' ? verdict.json : '') as unknown)
  })
  after(() => server.stop())

  async function records(more: Props = {}): Promise<readonly SourceRecord[]> {
    const driven = await driveTask(
      tickerProps(server.port, {
        ...{ 'grpc.service.name': 'struct.v1.Feed', 'grpc.proto.descriptor': fixture('struct.desc') },
        ...{ 'grpc.value.format': 'struct', ...more },
      }),
    )
    await driven.connect()
    assert.match(String(await driven.pollToError()), /\(OK\)/)
    await driven.task.stop()
    return driven.records
  }

  for (const lossless of ['false', 'true']) {
    test(`have the values that protobuf-go sees (grpc.struct.lossless=${lossless})`, async () => {
      const read = await records({ 'grpc.struct.lossless': lossless })
      assert.deepEqual(
        read.map(({ error }) => error),
        MESSAGES.map(() => undefined),
      )
      const { schema } = { schema: read[0]!.valueSchema! }
      for (const [i, record] of read.entries()) {
        assert.deepEqual(comparable(protoJson(schema, record.value)), comparable(views[i]), String(i))
        assert.deepEqual(record.original, encoded[i])
        assert.equal(record.valueSchema, schema)
      }
      const large = schema.fields!.find(({ name }) => name === 'large')!.schema
      assert.equal(large.name, lossless === 'true' ? LOGICAL.Decimal : undefined)
    })
  }

  for (const [what, name] of [
    ['JSON with its schema', 'org.apache.kafka.connect.json.JsonConverter'],
    ['Avro', 'io.confluent.connect.avro.AvroConverter'],
    ['Protobuf', 'io.confluent.connect.protobuf.ProtobufConverter'],
    ['JSON Schema', 'io.confluent.connect.json.JsonSchemaConverter'],
  ] as const) {
    test(`are written as ${what}, and read as they were`, async () => {
      const topic = `structs-${randomUUID()}`
      const registry = name.includes('confluent')
        ? {
            'value.converter.schema.registry.url': await sharedSchemaRegistry(),
            'value.converter.enhanced.protobuf.schema.support': 'true',
            'value.converter.flatten.unions': 'true',
            'value.converter.optional.for.nullables': 'true',
          }
        : {}
      const converter = createConverter('value.converter', { 'value.converter': name, ...registry }, false)
      for (const [i, { valueSchema, value }] of (await records()).entries()) {
        // Confluent's Protobuf converter has no form for a number of an enum that has no name.
        if (what === 'Protobuf' && i === UNKNOWN_ENUM) continue
        const bytes = await write(converter, topic, valueSchema!, value)
        const back = await read(converter, topic, bytes)
        assert.equal(back.schema!.name, TYPE)
        assert.deepEqual(
          comparable(protoJson(back.schema!, back.value)),
          what.includes('JSON') ? asJsonHas(comparable(views[i])) : comparable(views[i]),
          String(i),
        )
      }
    })
  }
})
