import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PackedRecords, parseConfig, type Props, recordsOf } from '@tributary/connect-api'
import { sourcePartitionOf, websocketSpec } from '../config/config.ts'
import { messageDecoder } from '../message/message.ts'
import { MessageRun } from '../message/message-run.ts'
import { PackBuilder } from './pack-builder.ts'
import { RecordBuilder } from './record-builder.ts'
import { URL } from './testing.ts'

const CONNECTIONS = [{ number: 1 }, { number: 2 }]

interface Builders {
  readonly packs: PackBuilder
  readonly records: RecordBuilder
  run(contents: readonly (string | Buffer)[], binary: boolean, connection?: number, receivedAt?: number): MessageRun
}

function buildersOf(props: Props): Builders {
  const config = parseConfig(websocketSpec, { 'websocket.url': URL, 'kafka.topic': 'all', ...props })
  const [sourcePartition, sessionId] = [sourcePartitionOf(config), 'the-session']
  const create = (): RecordBuilder =>
    new RecordBuilder({ config, sourcePartition, sessionId, lastSequence: 0, sequences: null, onNotJson: () => {} })
  const decode = messageDecoder(config)
  return {
    packs: new PackBuilder({ config, sourcePartition, sessionId, builder: create() }),
    records: create(),
    run: (contents, binary, connection = 0, receivedAt = 1) => {
      const parts = contents.map((content) => Buffer.from(content))
      const bounds = new Int32Array(2 * parts.length)
      let end = 5
      for (const [i, part] of parts.entries()) {
        bounds[2 * i] = end += 2
        bounds[2 * i + 1] = end += part.length
      }
      const bytes = Buffer.concat([Buffer.alloc(5), ...parts.flatMap((part) => [Buffer.alloc(2), part])])
      const validText = !binary && parts.every((part) => part.equals(Buffer.from(part.toString())))
      const received = { bytes, bounds, count: parts.length, binary, validText }
      return new MessageRun(received, receivedAt, CONNECTIONS[connection]!, decode)
    },
  }
}

const BROKEN = Buffer.from('61ff', 'hex')
const CASES: Readonly<Record<string, Props>> = {
  'with nothing configured': {},
  'with headers of the connection': { 'record.headers': 'url,session_id,connection' },
  'with the time of the read in a header': { 'record.headers': 'received_at' },
  'where the transport does not check text': { 'websocket.utf8.validation': 'false' },
  'where binary messages are decoded': { 'websocket.binary.decode': 'text' },
}

for (const [name, props] of Object.entries(CASES)) {
  test(`packs hold the records of their messages: ${name}`, () => {
    const { packs, records, run } = buildersOf(props)
    const runs = [
      run(['a', 'ü', ''], false),
      run(['b'], false),
      run(['c', 'd'], false, 1),
      run(['e', 'f'], true, 1),
      run(['g'], true, 1, 2),
      ...(props['websocket.utf8.validation'] === 'false' ? [run(['h', BROKEN], false)] : []),
      run(['i', 'x'.repeat(20_000)], false),
      run(['j'], false),
      run(['k'], false),
    ]
    const polled = packs.build(runs)
    assert.deepEqual(
      polled.flatMap(recordsOf),
      runs.flatMap((each) => records.build(each.messages()).records),
    )
    const single = props['websocket.utf8.validation'] === 'false' ? 2 : 'websocket.binary.decode' in props ? 3 : 0
    assert.equal(polled.filter((element) => !(element instanceof PackedRecords)).length, single)
  })
}

test('few packs are made of many small runs', () => {
  const { packs, run } = buildersOf({})
  const small = Array.from({ length: 2000 }, (_, i) => run([`message ${i} ${'x'.repeat(90)}`], false))
  const polled = packs.build(small)
  assert.ok(polled.length <= 5, `${polled.length} packs`)
  assert.deepEqual(
    polled.flatMap(recordsOf).map(({ value }) => (value as string).split(' ')[1]),
    small.map((_, i) => String(i)),
  )
})
