import assert from 'node:assert/strict'
import test from 'node:test'
import {
  commonErrors,
  type Converter,
  DataError,
  defineErrors,
  NotReadyError,
  RetriableError,
  type SourceRecord,
} from '@tributary/connect-api'
import { PlainConverter, SimpleHeaderConverter } from '@tributary/converters'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { FailedRecord } from './failed-record.ts'
import { RecordEncoder } from './record-encoder.ts'
import { BadRecordError } from './stage-failure.ts'

const errors = defineErrors({
  AWAY: { type: RetriableError, doc: 'The registry is away.' },
  INCOMPATIBLE: { type: DataError, doc: 'The registry refuses a schema.' },
})

const signal = new AbortController().signal

/** Converts what `ready` has made known. */
class Waiting implements Converter {
  readonly known = new Set<unknown>()
  readonly asked: unknown[] = []
  answer: (value: unknown) => void = () => {}
  configure(): void {}
  fromConnectData(_topic: string, _schema: unknown, value: unknown): Uint8Array {
    if (this.known.has(value)) return Buffer.from(String(value))
    throw new NotReadyError('the schema registry', () => {
      this.asked.push(value)
      return Promise.resolve().then(() => {
        this.answer(value)
        this.known.add(value)
      })
    })
  }
  toConnectData(): never {
    throw new Error('not used')
  }
}

function scene(converter: Waiting, tolerated: FailedRecord[] = []): RecordEncoder {
  return new RecordEncoder({
    taskClass: 'test.Task',
    transformations: [{ className: 'test.Same', apply: (record) => ({ ...record }) }],
    keyConverter: new PlainConverter(),
    valueConverter: converter,
    headerConverter: new SimpleHeaderConverter(),
    errors: { tolerate: (failed) => (tolerated.push(failed), null) },
    clock: { now: () => 1000, monotonic: () => 0, sleep: () => Promise.resolve() },
    retryTimeoutMs: 0,
    retryDelayMaxMs: 0,
  })
}

function records(...values: string[]): SourceRecord[] {
  return values.map((value) => ({
    sourcePartition: {},
    sourceOffset: {},
    topic: 't',
    key: null,
    value,
    timestamp: null,
  }))
}

async function convert(
  encoder: RecordEncoder,
  sources: SourceRecord[],
  onWait?: (what: string, error: unknown) => void,
): Promise<string[]> {
  const { records } = await encoder.transform(sources, signal, [])
  const conversion = { records, sources, counts: new Map([['t', 1]]), traceparent: null }
  const { encoded } = await encoder.convert(conversion, signal, [], onWait)
  return encoded.map((record) => String((record as ProducerRecord).value))
}

test('a converter that waits is awaited once a batch, and an outage is waited out whatever errors.retry.timeout says', async () => {
  const converter = new Waiting()
  const waits: string[] = []
  let left = 50
  converter.answer = () => {
    if (left-- > 0) throw errors.AWAY('Schema registry not available')
  }
  const encoder = scene(converter)
  assert.equal(
    encoder.convertNow({
      records: records('a'),
      sources: records('a'),
      counts: new Map([['t', 1]]),
      traceparent: null,
    }),
    null,
  )
  const onWait = (what: string, error: unknown): void => void waits.push(`${what}: ${(error as Error | null)?.message}`)
  assert.deepEqual(await convert(encoder, records('a', 'a', 'a'), onWait), ['a', 'a', 'a'])
  assert.equal(converter.asked.length, 51)
  assert.equal(waits.length, 51)
  assert.deepEqual(waits.slice(0, 2), [
    'the schema registry: undefined',
    'the schema registry: Schema registry not available',
  ])
})

test('a record that the registry refuses goes to the error handler as the source made it, and the others are written', async () => {
  const converter = new Waiting()
  converter.answer = (value) => {
    if (value === 'bad') throw errors.INCOMPATIBLE('incompatible')
  }
  const tolerated: FailedRecord[] = []
  const sources = records('a', 'bad', 'b')
  assert.deepEqual(await convert(scene(converter, tolerated), sources), ['a', 'b'])
  assert.deepEqual(
    tolerated.map(({ stage, className, record }) => [stage, className, record === sources[1]]),
    [['VALUE_CONVERTER', 'Waiting', true]],
  )
})

test('a config error, and a converter that is never ready, fail the task', async () => {
  const converter = new Waiting()
  converter.answer = () => {
    throw commonErrors.CONFIG_INVALID('401')
  }
  await assert.rejects(convert(scene(converter), records('a')), BadRecordError)
  converter.answer = () => {}
  converter.known.add = () => converter.known
  await assert.rejects(convert(scene(converter), records('a')), (error) => {
    assert.ok(error instanceof BadRecordError)
    assert.match(String(error.cause), /waited 20 times for one record, at last for the schema registry/)
    return true
  })
})

test('an abandoned run ends the wait, although the converter does not look at the signal', async () => {
  const ending = new AbortController()
  const converter = new Waiting()
  converter.fromConnectData = () => {
    throw new NotReadyError('the schema registry', () => new Promise(() => {}))
  }
  const conversion = { records: records('a'), sources: records('a'), counts: new Map([['t', 1]]), traceparent: null }
  const converting = scene(converter).convert(conversion, ending.signal, [])
  ending.abort(new Error('enough'))
  await assert.rejects(converting, /enough/)
})
