import { after, test } from 'node:test'
import { startConnectOracle } from '@tributary/harness'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { Random } from '../support/random.ts'
import {
  compareReading,
  compareWriting,
  type Data,
  type Difference,
  type Outcome,
  withoutDigits,
} from './converters-compare.ts'
import { anotherPayload } from './converters-json.ts'

const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const COUNT = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 10_000 : 1000
const oracle = await startConnectOracle()
after(() => oracle.stop())

const CONFIGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'schemas.enable': 'false' },
  { 'decimal.format': 'numeric' },
  { 'schemas.enable': 'false', 'decimal.format': 'NUMERIC', 'replace.null.with.default': 'false' },
  { 'replace.null.with.default': 'false', 'schemas.cache.size': '10' },
]

const UNREADABLE = 'Converting byte[] to Kafka Connect data failed'

const DIFFERENCES: readonly Difference[] = [
  {
    reason: 'Java before version 19 writes some floating-point numbers with more digits than they need.',
    allows: (kafka, ours) => !!kafka.bytes && !!ours.bytes && withoutDigits(kafka.bytes) === withoutDigits(ours.bytes),
  },
  {
    reason: 'A whole number that is written with a point or an exponent (1.0, 1e3) is an integer here.',
    allows: (kafka, ours) =>
      /^Invalid type for (Date|Time|Timestamp), .* NUMBER$/.test(kafka.error ?? '')
        ? ours.error === undefined
        : kafka.data !== undefined && withoutVersion(kafka) === withoutVersion(ours),
  },
  {
    reason:
      'Text behind a JSON value, leading zeros and numbers beyond the range of a double are errors here. Jackson reads on, and gives Infinity.',
    allows: (kafka, ours) => !(kafka.error ?? '').startsWith(UNREADABLE) && (ours.error ?? '').startsWith(UNREADABLE),
  },
  {
    reason: 'Dates beyond the years -271821 to 275760, the limit of JavaScript, are an error here.',
    allows: (kafka, ours) => kafka.data !== undefined && (ours.error ?? '').startsWith('The date '),
  },
  {
    reason:
      'Connect checks a struct when it is built. Here a struct is a plain object, the converter checks it, and writes the default for a null element of a list.',
    allows: (kafka, ours) =>
      /^(Invalid Java object for schema|Invalid value: null used for required)/.test(kafka.error ?? '') &&
      (ours.error === undefined || ours.of === 'data'),
  },
]

test("JsonConverter writes and reads headers as Kafka's does", async () => {
  const generator = new ConnectGenerator(new Random(900))
  const records = Array.from({ length: COUNT / 5 }, (): Data => generator.data())
  const use = { class: JSON_CONVERTER, config: {}, header: true }
  await compareReading(oracle, use, await compareWriting(oracle, use, records, DIFFERENCES), DIFFERENCES)
})

for (const [i, config] of CONFIGS.entries()) {
  test(`JsonConverter with ${JSON.stringify(config)} writes and reads what Kafka's does`, async () => {
    const random = new Random(1000 + i)
    const generator = new ConnectGenerator(random)
    const use = { class: JSON_CONVERTER, config }
    const records = Array.from({ length: COUNT / CONFIGS.length }, (): Data => {
      const data = generator.data()
      return data.schema && random.chance(0.1) ? { ...data, value: generator.misfit(data.schema) } : data
    })
    const bytes = await compareWriting(oracle, use, records, DIFFERENCES)
    await compareReading(oracle, use, bytes, DIFFERENCES)
    const changed = bytes.flatMap((value) => (value === null ? [] : [anotherPayload(random, value)]))
    await compareReading(oracle, use, changed, DIFFERENCES)
  })
}

function withoutVersion({ data }: Outcome): string {
  return JSON.stringify(data ?? null).replaceAll(/,"version":-?\d+/g, '')
}
