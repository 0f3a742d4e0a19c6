import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startConnectOracle } from '@tributary/harness'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { comparableRecord, decodeRecord, encodeRecord } from '../support/connect-values.ts'
import { Random } from '../support/random.ts'

const oracle = await startConnectOracle()
after(() => oracle.stop())

test('records of every type of schema and value come back from the JVM unchanged', async () => {
  const generator = new ConnectGenerator(new Random(15))
  const records = Array.from({ length: 200 }, () => generator.record())
  const [answer] = await oracle.ask([
    {
      op: 'transform',
      class: 'org.apache.kafka.connect.transforms.RegexRouter',
      config: { regex: 'nothing', replacement: 'x' },
      records: records.map((record) => encodeRecord(record)),
    },
  ])
  for (const [i, record] of records.entries()) {
    const { error, record: json } = answer!.results![i]!
    assert.equal(error, undefined, JSON.stringify(encodeRecord(record)))
    assert.deepEqual(comparableRecord(decodeRecord(json)), comparableRecord(record))
  }
})
