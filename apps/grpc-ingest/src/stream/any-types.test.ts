import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { abortable, systemClock } from '@tributary/async'
import { NotConnectedError, recordsOf, type SourceRecord } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'
import { configWith } from '../config/testing.ts'
import { RecordBuilder } from '../records/record-builder.ts'
import { encodeRequest, type Root } from '../schema/index.ts'
import { schemaOf } from '../schema/testing/schemas.ts'
import { runOf } from '../transport/index.ts'
import { AnyTypes } from './any-types.ts'
import type { GrpcConnection } from './connection.ts'
import { planWith, type StreamPlan } from './stream-plan.ts'

const EVENT = 'message Event { google.protobuf.Any any = 1; optional int64 seq = 2; }'
const FEED = `syntax = "proto3"; package f; import "google/protobuf/any.proto"; ${EVENT}
  service Feed { rpc Watch(Event) returns (stream Event); }`
const schema = schemaOf(FEED)
const known = schemaOf(`${FEED} message Trade { int32 n = 1; }`)
const message = encodeRequest(known.messages.get('f.Event')!, '{"any":{"@type":"x/f.Trade","n":5}}')
const never = new AbortController().signal

interface Rig {
  readonly anyTypes: AnyTypes
  readonly asked: string[]
  /** The monotonic clock. */
  readonly time: { ms: number }
  /** Releases with the present plan: the values or the codes of the errors; null: later. */
  release(streaming: boolean): Promise<unknown[] | null>
}

/** Holds one record whose Any the schema does not know. `answer` is what the server says to each question. */
function rig(answer: () => Root | null | Promise<Root>, config = configWith({})): Rig {
  const time = { ms: 0 }
  const clock = { ...systemClock, monotonic: () => time.ms }
  let plan: StreamPlan = planWith(config, schema)
  const asked: string[] = []
  const builder = new RecordBuilder({
    topic: 't',
    sourcePartition: {},
    runId: 'r',
    lastSequence: 0,
    resume: null,
  })
  builder.startStream(plan.decoder, undefined)
  const connection = {
    close: () => {},
    reflectType: (_root: Root, name: string, signal: AbortSignal) => {
      asked.push(name)
      return abortable(Promise.resolve().then(answer), signal)
    },
  } as unknown as GrpcConnection
  const log = { info: () => {}, warn: (_event: string, _fields: LogFields) => {} } as unknown as Logger
  const anyTypes = new AnyTypes({ config, builder, log, clock, open: () => Promise.resolve(connection) })
  anyTypes.hold(builder.build([runOf(message)]))
  const learned = (better: StreamPlan): void => {
    plan = better
    builder.useDecoder(plan.decoder)
  }
  const shown = ({ value, error }: SourceRecord): unknown => error?.code ?? value
  return {
    anyTypes,
    asked,
    time,
    release: async (streaming) =>
      (await anyTypes.release(plan, learned, streaming, never))?.flatMap(recordsOf).map(shown) ?? null,
  }
}

const away = (): never => {
  throw new NotConnectedError('GRPC_REFLECTION_CALL', 'away')
}

describe('records that need a type', () => {
  test('are held until the server has told it', async () => {
    const answers = [away, () => known]
    const { anyTypes, release } = rig(() => answers.shift()!())
    assert.equal(await release(true), null)
    assert.equal(anyTypes.holds, true)
    assert.deepEqual(await release(true), ['{"any":{"@type":"x/f.Trade","n":5}}'])
    assert.deepEqual([anyTypes.holds, anyTypes.caution], [false, null])
  })

  test('are error records when a living stream has a server that cannot be asked', async () => {
    const { asked, release } = rig(away)
    assert.deepEqual([await release(true), await release(true), await release(true)], [null, null, null])
    assert.deepEqual(await release(true), ['PROTOBUF_JSON'])
    assert.equal(asked.length, 3)
  })

  test('stay held while the server is away, which is asked with backoff', async () => {
    const { anyTypes, asked, time, release } = rig(away)
    for (let i = 0; i < 5; i++) {
      assert.deepEqual([await release(false), await release(false)], [null, null])
      time.ms += 60_000
    }
    assert.equal(asked.length, 5)
    assert.match(anyTypes.caution!, /^1 record\(s\) and the messages behind them wait/)
    assert.equal(anyTypes.holds, true)
  })

  test('are released as they are at a stop while the server is away', async () => {
    const { anyTypes, release } = rig(away)
    assert.equal(await release(false), null)
    anyTypes.drain()
    assert.deepEqual(await release(false), ['PROTOBUF_JSON'])
  })

  test('wait at a stop for an answer of 3 s at most', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { anyTypes, asked, release } = rig(() => new Promise(() => {}))
    const released = release(false)
    while (asked.length === 0) await Promise.resolve()
    anyTypes.drain()
    t.mock.timers.tick(3000)
    assert.deepEqual(await released, ['PROTOBUF_JSON'])
  })

  test('are decoded at a stop when the server can be asked again', async () => {
    const answers = [away, () => known]
    const { anyTypes, release } = rig(() => answers.shift()!())
    assert.equal(await release(false), null)
    anyTypes.drain()
    assert.deepEqual(await release(false), ['{"any":{"@type":"x/f.Trade","n":5}}'])
  })

  test('are left to the next run where the server sends them again', async () => {
    const resume = configWith({ 'grpc.resume.field': 'seq', 'grpc.resume.request.field': 'seq' })
    const { anyTypes, release } = rig(away, resume)
    await assert.rejects(release(false), NotConnectedError)
    anyTypes.drain()
    await assert.rejects(release(false), NotConnectedError)
  })

  test('are error records when the server does not know the type, which is not asked for again', async () => {
    const { asked, release, anyTypes } = rig(() => null)
    assert.deepEqual(await release(true), ['PROTOBUF_JSON'])
    assert.deepEqual(asked, ['f.Trade'])
    anyTypes.connected()
    assert.equal(anyTypes.holds, false)
  })
})
