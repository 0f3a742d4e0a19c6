import { after, test } from 'node:test'
import { startConnectOracle } from '@tributary/harness'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { Random } from '../support/random.ts'
import { compareReading, compareWriting, type Data } from './converters-compare.ts'
import { JSON_DIFFERENCES } from './converters-differences.ts'
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

test("JsonConverter writes and reads headers as Kafka's does", async () => {
  const generator = new ConnectGenerator(new Random(900))
  const records = Array.from({ length: COUNT / 5 }, (): Data => generator.data())
  const use = { class: JSON_CONVERTER, config: {}, header: true }
  await compareReading(oracle, use, await compareWriting(oracle, use, records, JSON_DIFFERENCES), JSON_DIFFERENCES)
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
    const bytes = await compareWriting(oracle, use, records, JSON_DIFFERENCES)
    await compareReading(oracle, use, bytes, JSON_DIFFERENCES)
    const changed = bytes.flatMap((value) => (value === null ? [] : [anotherPayload(random, value)]))
    await compareReading(oracle, use, changed, JSON_DIFFERENCES)
  })
}
