import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { LoopPacer, type PacedLoop } from './loop-pacer.ts'

const SAMPLE_MS = 100

/** A loop whose time passes as the test says. It turns in `run`. */
class FakeLoop implements PacedLoop {
  readonly blocked: number[] = []
  #now = 0
  #sample: (() => void) | null = null
  #sampleAt = SAMPLE_MS
  #step: (() => void) | null = null
  #counts = { iterations: 0, events: 0 }

  now = (): number => this.#now
  counts = (): { iterations: number; events: number } => ({ ...this.#counts })
  afterReads = (step: () => void): void => {
    assert.equal(this.#step, null, 'one step in each iteration')
    this.#step = step
  }
  block = (ms: number): void => {
    this.blocked.push(ms)
    this.#now += ms
  }
  every = (_ms: number, sample: () => void): (() => void) => {
    this.#sample = sample
    return () => (this.#sample = null)
  }

  /** Turns `iterations` times. Each handles `events` events, works for `workMs`, and waits for `waitMs` unless a step follows. */
  run(iterations: number, { events, workMs, waitMs }: { events: number; workMs: number; waitMs: number }): void {
    for (let i = 0; i < iterations; i++) {
      if (this.#step === null) this.#now += waitMs
      this.#now += workMs
      this.#counts.iterations++
      this.#counts.events += events
      const step = this.#step
      this.#step = null
      step?.()
      if (this.#now < this.#sampleAt) continue
      this.#sampleAt = this.#now + SAMPLE_MS
      this.#sample?.()
    }
  }
}

/** 5,000 iterations a second, as long as nobody paces them. */
const BUSY = { events: 2, workMs: 0.05, waitMs: 0.15 }
const IDLE = { events: 0, workMs: 0.05, waitMs: 10 }

test('a loop that turns seldom, or without events, is left alone', () => {
  const loop = new FakeLoop()
  const pacer = new LoopPacer(1, loop)
  loop.run(1000, { events: 2, workMs: 0.05, waitMs: 0.45 })
  loop.run(5000, { ...BUSY, events: 0 })
  assert.equal(pacer.active, false)
  assert.deepEqual(loop.blocked, [])
})

test('a busy loop turns once in each interval', () => {
  const loop = new FakeLoop()
  const pacer = new LoopPacer(1, loop)
  loop.run(510, BUSY)
  assert.equal(pacer.active, true)
  const from = loop.now()
  loop.run(100, BUSY)
  assert.ok(Math.abs(loop.now() - from - 100) < 1, `100 iterations took ${loop.now() - from} ms`)
  assert.ok(loop.blocked.every((ms) => ms > 0 && ms <= 1))
})

test('a paced loop is let go once many of its iterations find nothing to do', () => {
  const loop = new FakeLoop()
  const pacer = new LoopPacer(1, loop)
  loop.run(510, BUSY)
  const tenIterations = (used: number): void => {
    loop.run(used, BUSY)
    loop.run(10 - used, IDLE)
  }
  for (let i = 0; i < 30; i++) tenIterations(7)
  assert.equal(pacer.active, true)
  for (let i = 0; i < 30; i++) tenIterations(5)
  assert.equal(pacer.active, false)
  const { length } = loop.blocked
  loop.run(100, IDLE)
  assert.equal(loop.blocked.length, length)
})

test('an iteration that works for the whole interval is not delayed', () => {
  const loop = new FakeLoop()
  const pacer = new LoopPacer(1, loop)
  loop.run(510, BUSY)
  loop.run(1, BUSY)
  const { length } = loop.blocked
  loop.run(100, { events: 2, workMs: 1, waitMs: 0 })
  assert.equal(pacer.active, true)
  assert.equal(loop.blocked.length, length)
})

test('the interval may have a fraction', () => {
  const loop = new FakeLoop()
  new LoopPacer(0.5, loop)
  loop.run(510, BUSY)
  const from = loop.now()
  loop.run(100, BUSY)
  assert.ok(Math.abs(loop.now() - from - 50) < 1)
})

test('a stopped pacer delays nothing more, and does not begin again', () => {
  const loop = new FakeLoop()
  const pacer = new LoopPacer(1, loop)
  loop.run(510, BUSY)
  pacer.stop()
  const { length } = loop.blocked
  loop.run(1000, BUSY)
  assert.equal(loop.blocked.length, length)
  assert.equal(pacer.active, false)
})

test('a pacer of this thread counts its iterations and events, and blocks it', { timeout: 60_000 }, async (t) => {
  // Two sockets that answer one another keep the loop busy.
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('data', () => client.write('a'))
  const pacer = new LoopPacer(1)
  t.after(() => {
    pacer.stop()
    client.destroy()
    server.close()
  })
  client.write('a')
  while (!pacer.active) await once(client, 'data')
  const before = performance.nodeTiming.uvMetricsInfo.loopCount
  const from = performance.now()
  for (let i = 0; i < 20; i++) await once(client, 'data')
  const iterations = performance.nodeTiming.uvMetricsInfo.loopCount - before
  assert.ok(performance.now() - from >= iterations - 1)
})
