import assert from 'node:assert/strict'
import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, mock, test, type TestContext } from 'node:test'
import { fillDisk, randomFrom, temporaryFolder } from './spill/testing.ts'
import { createRig, deliverAll, never, range, type Rig, turn, until } from './testing.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'

describe('an intake that spills', () => {
  test('keeps the order and loses nothing, for random pushes and polls', async (t) => {
    for (let seed = 1; seed <= (LONG ? 200 : 20); seed++) {
      const dir = await temporaryFolder(t)
      const rig = createRig(dir, 10_000_000, 10 + seed)
      const random = randomFrom(seed)
      const out: number[] = []
      let next = 0
      for (let step = 0; step < 200; step++) {
        if (random() < 0.6) {
          const to = next + Math.floor(random() * 12)
          rig.push(next, to)
          next = to
        }
        if (random() < 0.3) await turn()
        if (random() < 0.4) out.push(...(await rig.deliver(1 + Math.floor(random() * 20))))
      }
      out.push(...(await deliverAll(rig)))
      assert.deepEqual(out, range(0, next), `seed ${seed}`)
      assert.ok(rig.stats.messagesSpilled > 0)
      assert.equal(rig.stats.spillBytes, 0)
      await rig.intake.close()
      assert.deepEqual((await readdir(join(dir, '..'))).includes(dir.split('/').at(-1)!), false)
    }
  })

  test('does not touch the disk while polls keep up', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    for (let i = 0; i < 100; i += 4) {
      rig.push(i, i + 4)
      assert.deepEqual(await rig.deliver(), range(i, i + 4))
    }
    assert.equal(rig.stats.messagesSpilled, 0)
    assert.deepEqual(await readdir(dir), [])
    await rig.intake.close()
  })

  test('pauses the connection only at the disk bound, and resumes it when there is room', async (t) => {
    const rig = createRig(await temporaryFolder(t), 2000)
    await rig.poll()
    let pushed = 0
    while (!rig.paused) {
      rig.push(pushed, pushed + 3)
      pushed += 3
      await until(() => rig.paused || rig.stats.messagesSpilled > pushed - 8)
    }
    assert.ok(rig.stats.spillBytes <= 2000 && rig.stats.spillBytes > 1900, `${rig.stats.spillBytes} on disk`)
    assert.ok(rig.events.some(({ event }) => event === 'spill_full'))
    const out = await deliverAll(rig)
    assert.equal(rig.paused, false)
    assert.deepEqual(out, range(0, pushed))
    rig.push(pushed, pushed + 20)
    assert.deepEqual(await deliverAll(rig), range(pushed, pushed + 20))
    assert.equal(rig.stats.messagesDropped, 0)
    await rig.intake.close()
  })

  test('delivers first, after a stop, the undelivered messages of the last run', async (t) => {
    const dir = await temporaryFolder(t)
    const first = createRig(dir)
    await first.poll()
    first.push(0, 100)
    await turn()
    assert.deepEqual(await first.deliver(), range(0, 7))
    assert.deepEqual(await first.poll(), range(7, 14))
    first.push(100, 103)
    first.intake.drain()
    assert.equal(first.stats.queueSize, 0, 'no message counts as lost')
    await first.intake.close()
    const second = createRig(dir)
    second.push(103, 106)
    assert.deepEqual(await deliverAll(second), range(7, 106))
    await second.intake.close()
  })

  test('keeps at a stop the unacknowledged messages too, before younger ones', async (t) => {
    const dir = await temporaryFolder(t)
    const first = createRig(dir)
    await first.poll()
    first.push(0, 4)
    assert.deepEqual(await first.poll(), range(0, 4))
    first.push(4, 30)
    await until(() => first.stats.messagesSpilled === 26)
    first.push(30, 33)
    await first.intake.close()
    const second = createRig(dir)
    assert.deepEqual(await second.deliver(2), range(0, 2))
    assert.deepEqual(await second.poll(), range(2, 4))
    await second.intake.close()
    const third = createRig(dir)
    assert.deepEqual(await deliverAll(third), range(2, 33))
    await third.intake.close()
  })

  test('delivers after a kill all spilled messages that were not delivered', async (t) => {
    const dir = await temporaryFolder(t)
    const first = createRig(dir)
    await first.poll()
    let pushed = 0
    for (; pushed < 50; pushed += 10) {
      first.push(pushed, pushed + 10)
      await until(() => first.stats.messagesSpilled > pushed)
    }
    assert.deepEqual(await first.deliver(), range(0, 7))
    await first.poll()
    const spilled = first.stats.messagesSpilled
    const second = await copyOf(dir, t)
    assert.deepEqual(await deliverAll(second), range(7, spilled))
    await Promise.all([first.intake.close(), second.intake.close()])
  })

  test('reports the end of a connection at once despite a backlog on disk, and then delivers the backlog', async (t) => {
    const rig = createRig(await temporaryFolder(t))
    await rig.poll()
    rig.push(0, 30)
    await until(() => rig.stats.messagesSpilled > 0)
    rig.end()
    await assert.rejects(rig.poll(), /the connection ended/)
    rig.reopen()
    rig.push(30, 33)
    assert.deepEqual(await deliverAll(rig), range(0, 33))
    await rig.intake.close()
  })

  test('deletes messages that made no record', async (t) => {
    const rig = createRig(await temporaryFolder(t))
    await rig.poll()
    rig.push(0, 100)
    await turn()
    for (let taken = 0; taken < 100;) {
      taken += (await rig.intake.take(9, 0, never))!.length
      rig.intake.handedOut([])
    }
    await rig.poll()
    assert.equal(rig.stats.spillBytes, 0)
    await rig.intake.close()
  })
})

describe('an intake that spills, while its predecessor still runs', () => {
  test('leaves the folder alone until its first poll, then delivers first what the predecessor left', async (t) => {
    const dir = await temporaryFolder(t)
    const predecessor = createRig(dir)
    await predecessor.poll()
    predecessor.push(0, 40)
    await turn()
    const successor = createRig(dir)
    successor.push(40, 52)
    await turn()
    assert.equal(successor.paused, true, 'before the first poll a full queue pauses the connection')
    await predecessor.intake.close()
    assert.deepEqual(await deliverAll(successor), range(0, 52))
    await successor.intake.close()
  })

  test('keeps nothing on disk when it is closed before its first poll', async (t) => {
    const dir = await temporaryFolder(t)
    const dropped = createRig(dir)
    dropped.push(0, 9)
    await dropped.intake.close()
    assert.deepEqual(await readdir(dir), [])
  })

  test('works in memory while another process holds the folder, and logs this', async (t) => {
    const dir = await temporaryFolder(t)
    const owner = createRig(dir)
    await owner.poll()
    owner.push(0, 40)
    await until(() => owner.stats.messagesSpilled > 0)
    const other = createRig(dir)
    other.push(100, 110)
    assert.deepEqual(await deliverAll(other), range(100, 110))
    assert.ok(other.events.some(({ event }) => event === 'spill_locked'))
    assert.match(other.stats.spillFailure!, /^another process holds the lock of /)
    await Promise.all([owner.intake.close(), other.intake.close()])
  })
})

describe('an intake whose disk fails', () => {
  const failed = (rig: Rig): number => rig.events.filter(({ event }) => event === 'spill_failed').length

  test('pauses the connection, logs the failure, loses nothing, and spills again once the disk works', async (t) => {
    const dir = join(await temporaryFolder(t), 'file')
    await writeFile(dir, 'not a folder')
    mock.timers.enable({ apis: ['setTimeout'] })
    t.after(() => mock.timers.reset())
    const rig = createRig(dir)
    rig.push(0, 20)
    assert.equal(rig.paused, true)
    assert.deepEqual(await rig.deliver(20), range(0, 20))
    assert.equal(failed(rig), 1)
    assert.equal(rig.paused, false)
    rig.push(20, 40)
    await until(() => failed(rig) > 1)
    assert.equal(rig.paused, true)
    await rm(dir)
    mock.timers.tick(5000)
    await until(() => rig.stats.messagesSpilled > 0)
    assert.equal(rig.paused, false)
    assert.ok(rig.events.some(({ event }) => event === 'spill_recovered'))
    for (let next = 20; next < 40; next += 10) assert.deepEqual(await rig.deliver(10), range(next, next + 10))
    assert.equal(rig.stats.messagesDropped, 0)
    await rig.intake.close()
  })

  test('during a write, with a backlog: delivers all in order, and keeps what it can at the end', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    rig.push(0, 20)
    await until(() => rig.stats.messagesSpilled === 20)
    const heal = await fillDisk(dir)
    t.after(heal)
    rig.push(20, 40)
    await until(() => failed(rig) > 0)
    assert.equal(rig.paused, true)
    assert.deepEqual(await rig.poll(30), range(0, 20))
    assert.deepEqual(await rig.poll(15), range(20, 35))
    heal()
    await rig.intake.close()
    const next = createRig(dir)
    assert.deepEqual(
      (await deliverAll(next)).sort((a, b) => a - b),
      range(0, 40),
    )
    await next.intake.close()
  })

  test('during a write: says so until the disk takes the messages, or Kafka has taken them', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    mock.timers.enable({ apis: ['setTimeout'] })
    t.after(() => mock.timers.reset())
    t.after(await fillDisk(dir))
    rig.push(0, 20)
    await until(() => failed(rig) > 0)
    assert.match(rig.stats.spillFailure!, /^the disk that holds .* is full \(ENOSPC\)$/)
    assert.deepEqual(await rig.deliver(20), range(0, 20))
    mock.timers.tick(5000)
    assert.equal(rig.stats.spillFailure, null)
    await rig.intake.close()
  })

  test('while the log is read to its end: nothing is delivered again', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    rig.push(0, 40)
    await until(() => rig.stats.messagesSpilled === 40)
    t.after(await fillDisk(dir))
    assert.deepEqual(await deliverAll(rig), range(0, 40))
    assert.equal(rig.stats.spillBytes, 0)
    const killed = await copyOf(dir, t)
    assert.deepEqual(await deliverAll(killed), [])
    await Promise.all([rig.intake.close(), killed.intake.close()])
  })

  test('while the log is read: what was delivered is noted once there is space, also without a further delivery', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    mock.timers.enable({ apis: ['setTimeout'] })
    t.after(() => mock.timers.reset())
    rig.push(0, 40)
    await until(() => rig.stats.messagesSpilled === 40)
    const heal = await fillDisk(dir)
    t.after(heal)
    assert.deepEqual(await rig.deliver(20), range(0, 20))
    assert.equal(failed(rig), 1)
    assert.match(rig.stats.spillFailure!, /^the disk that holds .* is full \(ENOSPC\)$/)
    heal()
    mock.timers.tick(5000)
    await until(() => rig.stats.spillFailure === null)
    mock.timers.reset()
    assert.ok(rig.events.some(({ event }) => event === 'spill_recovered'))
    const killed = await copyOf(dir, t)
    assert.deepEqual(await deliverAll(killed), range(20, 40))
    await Promise.all([rig.intake.close(), killed.intake.close()])
  })

  test('while the log is read: a stop notes what was delivered', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    rig.push(0, 40)
    await until(() => rig.stats.messagesSpilled === 40)
    const heal = await fillDisk(dir)
    t.after(heal)
    assert.deepEqual(await rig.deliver(20), range(0, 20))
    heal()
    await rig.intake.close()
    const next = createRig(dir)
    assert.deepEqual(await deliverAll(next), range(20, 40))
    await next.intake.close()
  })

  test('at the end: logs and counts the lost messages', async (t) => {
    const dir = await temporaryFolder(t)
    const rig = createRig(dir)
    await rig.poll()
    rig.push(0, 4)
    const heal = await fillDisk(dir)
    t.after(heal)
    await rig.intake.close()
    assert.equal(rig.stats.messagesDropped, 4)
    assert.deepEqual(rig.events.find(({ event }) => event === 'messages_abandoned')?.fields, {
      messages: 4,
      reason: 'the disk did not take them',
    })
  })
})

/** A run after a kill: it finds the folder as the killed run left it. */
async function copyOf(dir: string, t: TestContext): Promise<Rig> {
  const copy = await temporaryFolder(t)
  await cp(dir, copy, { recursive: true })
  return createRig(copy)
}
