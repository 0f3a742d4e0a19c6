import { DataError, FatalError } from '@tributary/connect-api'
import type { KafkaProducer } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import test from 'node:test'
import type { StoreRecord } from '../types.ts'
import { TransactionWriter } from './transaction-writer.ts'

/** A writer whose transactions the test commits. */
class Scene {
  /** The keys of the records of each attempted transaction. */
  readonly tried: string[][] = []
  readonly committed: string[][] = []
  readonly lost: Error[] = []
  aborted = 0
  readonly writer: TransactionWriter
  readonly #faults: Readonly<Record<string, Error>>

  constructor(faults: Readonly<Record<string, Error>> = {}) {
    this.#faults = faults
    const producer = {
      beginTransaction: () => undefined,
      commitTransaction: () => Promise.resolve(void this.committed.push(this.tried.at(-1)!)),
      abortTransaction: () => Promise.resolve(void this.aborted++),
      close: () => Promise.resolve(),
    } as Partial<KafkaProducer> as KafkaProducer
    this.writer = new TransactionWriter({
      producer,
      send: (_, records) => this.#send(records),
      signal: new AbortController().signal,
      onLost: (error) => this.lost.push(error),
    })
  }

  write(...keys: string[]): Promise<unknown> {
    return this.writer.write(keys.map((key) => ({ key, value: null })))
  }

  #send(records: readonly StoreRecord[]): Promise<Map<number, bigint>> {
    const keys = records.map(({ key }) => String(key))
    this.tried.push(keys)
    const bad = keys.find((key) => this.#faults[key])
    if (bad !== undefined) return Promise.reject(this.#faults[bad]!)
    return Promise.resolve(new Map([[0, BigInt(this.tried.length)]]))
  }
}

test('writes that arrive during a transaction share the next one', async () => {
  const scene = new Scene()
  const positions = await Promise.all([scene.write('a'), scene.write('b1', 'b2'), scene.write('c')])
  assert.deepEqual(scene.committed, [['a'], ['b1', 'b2', 'c']])
  assert.deepEqual(positions, [1n, 2n, 2n].map((offset) => new Map([[0, offset]]))) // prettier-ignore
  await scene.write('d')
  assert.deepEqual(scene.committed.at(-1), ['d'])
})

test('a refused record fails only its own write, and all of that write', async () => {
  const scene = new Scene({ bad: new DataError('INVALID_RECORD', 'bad') })
  const results = await Promise.allSettled([
    scene.write('a'),
    scene.write('b'),
    scene.write('good', 'bad'),
    scene.write('c'),
  ])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled']) // prettier-ignore
  assert.deepEqual(scene.committed, [['a'], ['b'], ['c']])
  assert.equal(scene.aborted, 2)
  assert.deepEqual(scene.lost, [])
})

test('an unusable producer fails all writes, and is reported once', async () => {
  const scene = new Scene({ a: new FatalError('PRODUCER_FENCED', 'a'), b: new FatalError('PRODUCER_FENCED', 'b') })
  const results = await Promise.allSettled([scene.write('a'), scene.write('b'), scene.write('c')])
  assert.deepEqual(results.map(({ status }) => status), ['rejected', 'rejected', 'rejected']) // prettier-ignore
  assert.equal(scene.lost.length, 1)
})

test('a closed writer is not reported as lost', async () => {
  const scene = new Scene({ a: new FatalError('PRODUCER_FENCED', 'a') })
  const write = scene.write('a')
  await scene.writer.close()
  await assert.rejects(write)
  assert.deepEqual(scene.lost, [])
})
