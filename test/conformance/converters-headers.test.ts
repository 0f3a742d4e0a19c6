import { after, test } from 'node:test'
import { startConnectOracle } from '@tributary/harness'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { Random } from '../support/random.ts'
import { compareReading, compareWriting, type Data } from './converters-compare.ts'
import { HEADER_DIFFERENCES } from './converters-differences.ts'

const COUNT = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 10_000 : 1000
const oracle = await startConnectOracle()
after(() => oracle.stop())

const PIECES = [
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '"',
  '\\',
  ' ',
  'null',
  'true',
  'false',
  '1',
  '-12',
  '1.5',
  '1e3',
  '300',
  '70000',
  '9999999999',
  '99999999999999999999',
  '1e40',
  '1e400',
  '0.1',
  '-0.0',
  '+7',
  'a',
  'text',
  '"x"',
  '2024-02-29',
  '2023-13-45',
  '23:59:59.999Z',
  '2024-02-29T23:59:59.999Z',
  '1200-01-01',
  '"12:00:00.000Z"',
  '[1,2]',
  '{"a":1}',
  '{1:2}',
  '1x',
  '--1',
  '٣',
  '\\:',
  '\\"',
]

test("SimpleHeaderConverter writes and reads what Kafka's does", async () => {
  const random = new Random(7)
  const generator = new ConnectGenerator(random, { depth: 2 })
  const use = { class: 'org.apache.kafka.connect.storage.SimpleHeaderConverter', header: true }
  const records = Array.from({ length: COUNT }, (): Data => generator.data())
  const bytes = await compareWriting(oracle, use, records, HEADER_DIFFERENCES)
  await compareReading(oracle, use, bytes, HEADER_DIFFERENCES)
  const texts = Array.from({ length: COUNT }, () => {
    const pieces = Array.from({ length: random.int(9) }, () => random.pick(PIECES))
    return Buffer.from(
      random.chance(0.5) ? pieces.join('') : `[${pieces.filter((piece) => piece.length > 1).join(',')}]`,
    )
  })
  await compareReading(oracle, use, texts, HEADER_DIFFERENCES)
})
