import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ConnectRecord, Schema } from '@tributary/connect-api'
import {
  type ConnectOracle,
  javaClassPath,
  type OracleAnswer,
  type OracleError,
  startConnectOracle,
} from '@tributary/harness'
import { TRANSFORMATIONS } from '@tributary/transforms'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { comparableRecord, decodeRecord, encodeRecord } from '../support/connect-values.ts'
import { Random } from '../support/random.ts'

/** Debezium's own transforms on a JVM, and ours, on the same generated change events. */

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'
const CONFIGS = LONG ? 2000 : 60
const RECORDS_EACH = 20

let oracle: ConnectOracle
before(async () => {
  const pom = fileURLToPath(new URL('../fixtures/debezium/pom.xml', import.meta.url))
  oracle = await startConnectOracle({ jars: await javaClassPath(pom, "Debezium's transforms") })
})
after(() => oracle.stop())

const TOPICS = ['server.inventory.customers_shard1', 'server.inventory.customers_shard2', 'server.other', 'x_shard9']

class Events {
  readonly random: Random
  readonly #generator: ConnectGenerator

  constructor(random: Random) {
    this.random = random
    this.#generator = new ConnectGenerator(random, { depth: 2 })
  }

  /** Some tables, so that what is kept for a schema is used again. */
  tables(): readonly { row: Schema; envelope: Schema }[] {
    return Array.from({ length: 3 }, (_, i) => {
      const row = this.#row()
      return { row, envelope: this.#envelope(row, i) }
    })
  }

  #row(): Schema {
    const { random } = this
    const generated = this.#generator.struct()
    const fields = [
      ...(generated.fields ?? []).filter(({ name }) => !['id', 'route', 'secret', '__deleted', '__op'].includes(name)),
      { name: 'id', schema: { type: 'int32' } },
      { name: 'route', schema: random.chance(0.9) ? { type: 'string', optional: true } : { type: 'int32' } },
      {
        name: 'secret',
        schema: { type: 'string', optional: random.chance(0.5), ...(random.chance(0.5) && { default: 's' }) },
      },
      ...(random.chance(0.1) ? [{ name: '__op', schema: { type: 'string', optional: true } }] : []),
    ] as Schema['fields']
    return { ...generated, name: 'server.inventory.customers.Value', optional: true, fields: fields! }
  }

  #envelope(row: Schema, at: number): Schema {
    const { random } = this
    const optionalString: Schema = { type: 'string', optional: true }
    const source: Schema = {
      type: 'struct',
      name: 'io.debezium.connector.mysql.Source',
      fields: [
        { name: 'version', schema: { type: 'string' } },
        { name: 'connector', schema: { type: 'string' } },
        { name: 'ts_ms', schema: { type: 'int64' } },
        {
          name: 'snapshot',
          schema: {
            type: 'string',
            optional: true,
            default: 'false',
            name: 'io.debezium.data.Enum',
            version: 1,
            parameters: { allowed: 'true,last,false' },
          },
        },
        { name: 'table', schema: optionalString },
        { name: 'list', schema: { type: 'array', optional: true, valueSchema: { type: 'string' } } },
      ],
    }
    const transaction: Schema = {
      type: 'struct',
      optional: true,
      fields: [
        { name: 'id', schema: { type: 'string' } },
        { name: 'total_order', schema: { type: 'int64' } },
      ],
    }
    return {
      type: 'struct',
      name: `server.inventory.t${at}.Envelope`,
      ...(random.chance(0.5) && { version: 1 }),
      fields: [
        { name: 'before', schema: row },
        { name: 'after', schema: row },
        { name: 'source', schema: source },
        ...(random.chance(0.8) ? [{ name: 'transaction', schema: transaction }] : []),
        { name: 'op', schema: { type: 'string' } },
        { name: 'ts_ms', schema: { type: 'int64', optional: true } },
        { name: 'extra', schema: optionalString },
      ],
    }
  }

  record({ row, envelope }: { row: Schema; envelope: Schema }, topic: string): ConnectRecord {
    const { random } = this
    if (random.chance(0.05)) return { ...this.#generator.record(), topic }
    const kind = random.pick(['c', 'u', 'd', 'r', 'd', 't', 'tombstone'])
    const filled = (): unknown => ({ ...(this.#generator.value({ ...row, optional: false }) as object) })
    const headers = random.chance(0.4)
      ? [
          {
            name: 'drops',
            value: random.pick([['secret'], ['secret', 'id'], [], ['nothing']]),
            schema: { type: 'array', valueSchema: { type: 'string' } } as Schema,
          },
        ]
      : []
    const base = { topic, partition: 1, timestamp: 5, headers, ...this.#key() }
    if (kind === 'tombstone') return { ...base, value: null, valueSchema: random.chance(0.5) ? null : envelope }
    const value = {
      before: kind === 'd' || (kind === 'u' && random.chance(0.5)) ? filled() : null,
      after: kind === 'c' || kind === 'u' || kind === 'r' ? filled() : null,
      source: {
        version: '3.5',
        connector: 'mysql',
        ts_ms: 7n,
        snapshot: random.pick([null, 'last']),
        table: random.pick([null, 't']),
        list: random.pick([null, ['a', 'b']]),
      },
      ...(random.chance(0.5) && { transaction: { id: 'x', total_order: 3n } }),
      op: kind,
      ts_ms: random.pick([null, 9n]),
      extra: 'e',
    }
    return { ...base, value, valueSchema: envelope }
  }

  #key(): { key: unknown; keySchema: Schema | null } {
    if (this.random.chance(0.1)) return { key: null, keySchema: null }
    const keySchema: Schema = {
      type: 'struct',
      name: 'server.inventory.customers.Key',
      fields: [
        { name: 'id', schema: { type: 'int32' } },
        {
          name: 'secret',
          schema: { type: 'string', optional: true, ...(this.random.chance(0.3) && { default: 'k' }) },
        },
      ],
    }
    return { key: { id: this.random.int(99), secret: this.random.pick([null, 'p']) }, keySchema }
  }
}

type Outcome = { readonly record: unknown } | { readonly error: string }

/** The text counts where Kafka Connect takes the error for the record's. Elsewhere Java's error is an accident, such as a null pointer. */
const TEXTS = [
  'org.apache.kafka.connect.errors.DataException',
  'org.apache.kafka.connect.errors.SchemaBuilderException',
]

async function compare(
  name: string,
  configOf: (random: Random) => Record<string, string>,
  seed: number,
): Promise<number> {
  const plugin = TRANSFORMATIONS.find((one) => one.class === name)!
  const random = new Random(seed)
  const events = new Events(random)
  const cases = Array.from({ length: CONFIGS }, () => {
    const tables = events.tables()
    // One topic: Debezium keeps a schema by the old schema alone, so that a second topic would get the first one's name.
    const topic = random.pick(TOPICS)
    return {
      config: configOf(random),
      records: Array.from({ length: RECORDS_EACH }, () => events.record(random.pick(tables), topic)),
    }
  })
  const answers: OracleAnswer[] = []
  for (let at = 0; at < cases.length; at += 100) {
    const requests = cases.slice(at, at + 100).map(({ config, records }) => ({
      op: 'transform' as const,
      class: name,
      config,
      records: records.map((record) => encodeRecord(record)),
    }))
    answers.push(...(await oracle.ask(requests)))
  }
  let compared = 0
  for (const [i, { config, records }] of cases.entries()) {
    const answer = answers[i]!
    let transformation
    try {
      transformation = plugin.create(config)
    } catch (error) {
      // What can only fail on each record is refused at once, such as a replacement that names a group which is not there.
      const refused = answer.error ?? answer.results!.find((result) => result.error)
      assert.ok(refused, `ours refuses what Debezium takes: ${JSON.stringify(config)} ${(error as Error).message}`)
      continue
    }
    assert.equal(answer.error, undefined, JSON.stringify(config))
    for (const [j, record] of records.entries()) {
      const { error, record: json } = answer.results![j]!
      if (error?.class === 'java.lang.NullPointerException') continue
      const theirs: Outcome = error ? { error: textOf(error) } : { record: comparableRecord(decodeRecord(json)) }
      const ours = outcomeOf(() => transformation.apply(record))
      const shown = 'error' in ours && 'error' in theirs && theirs.error === '' ? { error: '' } : ours
      assert.deepEqual(shown, theirs, JSON.stringify({ config, record: encodeRecord(record) }))
      compared++
    }
  }
  return compared
}

function textOf(error: OracleError): string {
  // The class of a map without schema is that of the reader of the test's JSON.
  return TEXTS.includes(error.class)
    ? (error.message ?? '').replace('java.util.LinkedHashMap', 'java.util.HashMap')
    : ''
}

function outcomeOf(apply: () => ConnectRecord | null): Outcome {
  try {
    return { record: comparableRecord(apply()) }
  } catch (error) {
    if ((error as { kind?: string }).kind !== 'data') throw error
    return { error: (error as Error).message }
  }
}

const some = <T>(random: Random, probability: number, value: T): T | undefined =>
  random.chance(probability) ? value : undefined

function defined(config: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

describe("Debezium's transforms", () => {
  it('ExtractNewRecordState', async (t) => {
    const fields = [
      'op',
      'op,source.ts_ms,source.table',
      'table:TABLE,snapshot,ts_ms',
      'list',
      'extra',
      'nothing',
      'op,op',
      'transaction.id,total_order',
      'id',
      'before',
      'ts_us',
    ]
    const compared = await compare(
      'io.debezium.transforms.ExtractNewRecordState',
      (random) =>
        defined({
          'delete.tombstone.handling.mode': some(
            random,
            0.85,
            random.pick(['drop', 'tombstone', 'rewrite', 'Rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone']),
          ),
          'add.fields': some(random, 0.7, random.pick(fields)),
          'add.fields.prefix': some(random, 0.3, random.pick(['', '_', 'm.'])),
          'add.headers': some(random, 0.5, random.pick(fields.slice(0, -2))),
          'add.headers.prefix': some(random, 0.3, 'h_'),
          'route.by.field': some(random, 0.3, random.pick(['route', 'id', 'secret', 'nothing'])),
          'drop.fields.header.name': some(random, 0.5, 'drops'),
          'drop.fields.from.key': some(random, 0.5, 'true'),
          'drop.fields.keep.schema.compatible': some(random, 0.5, random.pick(['true', 'false'])),
          'replace.null.with.default': some(random, 0.5, random.pick(['true', 'false'])),
        }),
      31,
    )
    t.diagnostic(`${compared} records compared`)
    assert.ok(compared > CONFIGS * 15)
  })

  it('ByLogicalTableRouter', async (t) => {
    const compared = await compare(
      'io.debezium.transforms.ByLogicalTableRouter',
      (random) =>
        defined({
          ...random.pick([
            { 'topic.regex': 'server\\.(?<name>.*)', 'topic.replacement': '${name}' },
            {
              'topic.regex': random.pick(['(.*)customers_shard(.*)', '(.*)_shard.*', '(.*)', 'nothing()']),
              'topic.replacement': random.pick(['$1customers_all-shards', 'all', '1.$1', '\\$x', '']),
            },
          ]),
          'key.enforce.uniqueness': some(random, 0.4, random.pick(['true', 'false'])),
          'key.field.name': some(random, 0.4, random.pick(['shard', 'id'])),
          'key.field.regex': some(random, 0.5, random.pick(['(.*)customers_shard(.*)', ' (.*)rs_(.*) ', ''])),
          'key.field.replacement': some(random, 0.8, random.pick(['$2', 'x$1', ' $1 '])),
          'schema.name.adjustment.mode': some(random, 0.7, random.pick(['none', 'avro', 'avro_unicode', 'AVRO'])),
          'logical.table.cache.size': some(random, 0.2, '3'),
        }),
      32,
    )
    t.diagnostic(`${compared} records compared`)
    assert.ok(compared > 0)
  })
})
