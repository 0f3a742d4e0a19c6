import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SubmittedBatches } from './submitted-batches.ts'

const p = { stream: 'a' }
const q = { stream: 'b' }

test('offsets never pass an unacknowledged batch', () => {
  const submitted = new SubmittedBatches()
  const first = submitted.submit(new Map([[p, { n: 1 }]]), 1, 10)
  const second = submitted.submit(new Map([[p, { n: 2 }]]), 1, 10)
  assert.equal(submitted.ack(second), false)
  assert.equal(submitted.takeCommittable(), null)
  assert.equal(submitted.ack(first), true)
  assert.deepEqual(submitted.takeCommittable()?.offsets.get(p), { n: 2 })
})

test('each source partition keeps the last offset of the acknowledged prefix', () => {
  const submitted = new SubmittedBatches()
  const batches = [
    submitted.submit(
      new Map([
        [p, { n: 1 }],
        [q, { n: 7 }],
      ]),
      2,
      0,
    ),
    submitted.submit(new Map([[p, { n: 2 }]]), 1, 0),
    submitted.submit(new Map([[q, { n: 8 }]]), 1, 0),
  ]
  submitted.ack(batches[0]!)
  submitted.ack(batches[1]!)
  const taken = submitted.takeCommittable()!
  assert.deepEqual([taken.offsets.get(p), taken.offsets.get(q), taken.recordCount], [{ n: 2 }, { n: 7 }, 3])
})

test('offsets whose write failed are committable again and do not replace newer offsets', () => {
  const submitted = new SubmittedBatches()
  submitted.ack(
    submitted.submit(
      new Map([
        [p, { n: 1 }],
        [q, { n: 1 }],
      ]),
      2,
      0,
    ),
  )
  const taken = submitted.takeCommittable()!
  submitted.ack(submitted.submit(new Map([[p, { n: 2 }]]), 1, 0))
  submitted.restore(taken)
  const again = submitted.takeCommittable()!
  assert.deepEqual([again.offsets.get(p), again.offsets.get(q)], [{ n: 2 }, { n: 1 }])
})

test('acknowledgements in any order make exactly the acknowledged prefix committable', () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed
    const random = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n
    const submitted = new SubmittedBatches()
    const batches = Array.from({ length: 1 + random(40) }, (_, n) => submitted.submit(new Map([[p, { n }]]), 1, 1))
    const waiting = [...batches.keys()]
    const acked = new Set<number>()
    let committed = -1
    while (waiting.length > 0) {
      const n = waiting.splice(random(waiting.length), 1)[0]!
      acked.add(n)
      submitted.ack(batches[n]!)
      const taken = submitted.takeCommittable()
      if (taken) committed = taken.offsets.get(p)!['n'] as number
      let prefix = -1
      while (acked.has(prefix + 1)) prefix++
      assert.equal(committed, prefix)
    }
    assert.equal(submitted.inFlightRecords, 0)
    assert.equal(submitted.pendingBatches, 0)
  }
})

test('an acknowledged batch is not kept while another one is in flight', async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const submitted = new SubmittedBatches()
  let inFlight = submitted.submit(new Map([[p, { n: 0 }]]), 1, 0)
  const first = new WeakRef(inFlight)
  for (let n = 1; n <= 3; n++) {
    const next = submitted.submit(new Map([[p, { n }]]), 1, 0)
    submitted.ack(inFlight)
    inFlight = next
  }
  // A WeakRef keeps its target until the end of the job.
  await new Promise(setImmediate)
  gc()
  assert.equal(first.deref(), undefined)
  assert.equal(submitted.pendingBatches, 1)
})
