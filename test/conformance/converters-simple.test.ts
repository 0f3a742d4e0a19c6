import { after, test } from 'node:test'
import { startConnectOracle } from '@tributary/harness'
import type { Schema } from '@tributary/connect-api'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { Random } from '../support/random.ts'
import { compareReading, compareWriting, type Data } from './converters-compare.ts'
import { SIMPLE_DIFFERENCES } from './converters-differences.ts'

const COUNT = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 10_000 : 1000
const oracle = await startConnectOracle()
after(() => oracle.stop())

const TYPES: Readonly<Record<string, Schema['type'] | null>> = {
  'org.apache.kafka.connect.storage.StringConverter': null,
  'org.apache.kafka.connect.converters.ByteArrayConverter': 'bytes',
  'org.apache.kafka.connect.converters.BooleanConverter': 'boolean',
  'org.apache.kafka.connect.converters.ShortConverter': 'int16',
  'org.apache.kafka.connect.converters.IntegerConverter': 'int32',
  'org.apache.kafka.connect.converters.LongConverter': 'int64',
  'org.apache.kafka.connect.converters.FloatConverter': 'float32',
  'org.apache.kafka.connect.converters.DoubleConverter': 'float64',
}

for (const [name, type] of Object.entries(TYPES)) {
  for (const header of [false, true]) {
    const uses = name.endsWith('StringConverter') && !header ? [{}, ...encodings()] : [{}]
    test(`${name} ${header ? 'of headers ' : ''}writes and reads what Kafka's does`, async () => {
      for (const [i, config] of uses.entries()) {
        const random = new Random(50 + i)
        const generator = new ConnectGenerator(random, { depth: 2 })
        const use = { class: name, config, header }
        const records = Array.from({ length: Math.ceil(COUNT / uses.length / (header ? 4 : 1)) }, (): Data => {
          if (type === null || random.chance(0.3)) return generator.data()
          const schema: Schema = { type, optional: true }
          return { schema: random.chance(0.9) ? schema : null, value: generator.value(schema) }
        })
        const bytes = await compareWriting(oracle, use, records, SIMPLE_DIFFERENCES)
        const any = Array.from(bytes, () =>
          Buffer.from(Array.from({ length: random.int(10) }, () => random.int(random.chance(0.5) ? 2 : 256))),
        )
        await compareReading(oracle, use, [...bytes, ...any], SIMPLE_DIFFERENCES)
      }
    })
  }
}

function encodings(): Record<string, string>[] {
  return ['UTF-16', 'UTF-16BE', 'utf-16le', 'ISO-8859-1', 'US-ASCII'].map((encoding) => ({
    'converter.encoding': encoding,
  }))
}
