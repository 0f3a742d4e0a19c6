import assert from 'node:assert/strict'
import { cp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Damage } from './segment-reader.ts'
import { SpillLog, segmentBytesFor } from './spill-log.ts'
import { fillDisk, randomFrom, temporaryFolder } from './testing.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'

interface Opened {
  readonly log: SpillLog
  readonly torn: Damage[]
  readonly damaged: Damage[]
}

async function openLog(dir: string, segmentBytes = 1_000_000): Promise<Opened> {
  const torn: Damage[] = []
  const damaged: Damage[] = []
  const log = await SpillLog.open({
    dir,
    segmentBytes,
    onTorn: (damage) => torn.push(damage),
    onDamage: (damage) => damaged.push(damage),
  })
  return { log, torn, damaged }
}

async function readAll(log: SpillLog, max = 7): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const payloads = await log.read(max)
    if (payloads.length === 0) return all
    all.push(...payloads.map(String))
  }
}

const texts = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `message ${from + i}`)
const bytes = (payloads: readonly string[]): Buffer[] => payloads.map((text) => Buffer.from(text))
const segmentsOf = async (dir: string): Promise<string[]> =>
  (await readdir(dir)).filter((name) => name.endsWith('.spill')).sort()

describe('a spill log', () => {
  test('returns what was appended, in order, across segments and for all sizes', async (t) => {
    const dir = await temporaryFolder(t)
    const { log } = await openLog(dir, 500_000)
    const random = randomFrom(1)
    const payloads = Array.from({ length: 300 }, (_, i) => {
      // Some payloads are larger than a chunk of the reader.
      const size = random() < 0.05 ? 400_000 * random() : 5000 * random()
      return Buffer.alloc(i % 50 === 0 ? 0 : Math.floor(size), i)
    })
    for (let i = 0; i < payloads.length; i += 10) await log.append(payloads.slice(i, i + 10))
    assert.ok((await segmentsOf(dir)).length > 2)
    const read: Buffer[] = []
    for (let batch = await log.read(13); batch.length > 0; batch = await log.read(13)) read.push(...batch)
    assert.deepEqual(read, payloads)
    await log.close()
  })

  test('can be read during an append', async (t) => {
    const { log } = await openLog(await temporaryFolder(t), 2000)
    const read: string[] = []
    for (let i = 0; i < 100; i++) {
      const [batch] = await Promise.all([log.read(5), log.append(bytes(texts(i * 3, i * 3 + 3)))])
      read.push(...batch.map(String))
    }
    read.push(...(await readAll(log)))
    assert.deepEqual(read, texts(0, 300))
    await log.close()
  })

  test('lets the next owner continue at the released position, whether the log was closed or not', async (t) => {
    for (const closed of [true, false]) {
      const dir = await temporaryFolder(t)
      const first = await openLog(dir, 300)
      for (let i = 0; i < 10; i++) await first.log.append(bytes(texts(i * 10, i * 10 + 10)))
      await first.log.read(4)
      await first.log.release(first.log.readPosition)
      await readAll(first.log)
      if (closed) await first.log.close()
      const second = await openLog(dir, 300)
      await second.log.append(bytes(['and one more']))
      assert.deepEqual(await readAll(second.log), [...texts(4, 100), 'and one more'])
      assert.deepEqual([...second.torn, ...second.damaged], [])
      await second.log.close()
      if (!closed) await first.log.close()
    }
  })

  test('deletes released segments one by one, and all files when everything is released', async (t) => {
    const dir = await temporaryFolder(t)
    const { log } = await openLog(dir, 300)
    for (let i = 0; i < 10; i++) await log.append(bytes(texts(i * 10, i * 10 + 10)))
    const before = await segmentsOf(dir)
    assert.equal(log.bytes, await sizeOf(dir, before))
    await log.read(35)
    const size = log.bytes
    await log.release(log.readPosition)
    assert.ok(log.bytes < size)
    assert.equal(log.bytes, await sizeOf(dir, await segmentsOf(dir)))
    await readAll(log)
    await log.release(log.readPosition)
    assert.deepEqual([log.bytes, log.unread, await readdir(dir)], [0, 0, []])
    await log.append(bytes(['again']))
    assert.deepEqual(await readAll(log), ['again'])
    await log.close()
  })

  test('leaves no file of a log that was delivered completely, nor does the next owner after a crash', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await openLog(dir)
    await first.log.append(bytes(texts(0, 10)))
    await readAll(first.log)
    const copy = await temporaryFolder(t)
    await first.log.release({ ...first.log.readPosition, at: first.log.readPosition.at - 1 })
    await writeFile(join(copy, 'position'), await readFile(join(dir, 'position')))
    await first.log.release(first.log.readPosition)
    await first.log.close()
    // A crash between the removal of the segments and that of the position leaves this.
    const second = await openLog(copy)
    assert.deepEqual([second.log.unread, await readdir(copy)], [0, []])
    await second.log.append(bytes(['new']))
    assert.deepEqual(await readAll(second.log), ['new'])
    await second.log.close()
  })
})

describe('prepending to a spill log', () => {
  test('puts the payloads first, even after segments were released', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await openLog(dir, 100)
    await first.log.append(bytes(texts(0, 10)))
    await readAll(first.log)
    const delivered = first.log.readPosition
    await first.log.append(bytes(['young']))
    await first.log.release(delivered)
    await first.log.prepend(bytes(['in flight', 'and this']))
    await first.log.close()
    const second = await openLog(dir, 100)
    assert.deepEqual(await readAll(second.log), ['in flight', 'and this', 'young'])
    await second.log.close()
  })

  test('appends the payloads if no segment number is left before the first one', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await openLog(dir)
    await first.log.append(bytes(['only']))
    await first.log.close()
    const [name] = await segmentsOf(dir)
    await rename(join(dir, name!), join(dir, '0000000000.spill'))
    await rm(join(dir, 'position'))
    const second = await openLog(dir)
    await second.log.prepend(bytes(['in flight']))
    await second.log.close()
    const third = await openLog(dir)
    assert.deepEqual(await readAll(third.log), ['only', 'in flight'])
    await third.log.close()
  })
})

describe('a spill log after a crash', () => {
  test('at any byte of a write: returns all earlier payloads unchanged, and can be appended to', async (t) => {
    const dir = await temporaryFolder(t)
    const { log } = await openLog(dir)
    const random = randomFrom(2)
    const payloads = Array.from({ length: LONG ? 60 : 12 }, (_, i) => `${i}:${'x'.repeat(Math.floor(random() * 40))}`)
    const ends = [0]
    for (const payload of payloads) {
      await log.append(bytes([payload]))
      ends.push(log.bytes)
    }
    await log.close()
    const [name] = await segmentsOf(dir)
    for (let cut = 0; cut <= log.bytes; cut++) {
      const copy = await temporaryFolder(t)
      await cp(dir, copy, { recursive: true })
      await truncate(join(copy, name!), cut)
      const whole = ends.filter((end) => end > 0 && end <= cut).length
      const next = await openLog(copy)
      const torn = cut - ends[whole]!
      assert.deepEqual(
        next.torn.map((damage) => damage.bytes),
        torn === 0 ? [] : [torn],
        `cut at ${cut}`,
      )
      await next.log.append(bytes(['next']))
      assert.deepEqual(await readAll(next.log), [...payloads.slice(0, whole), 'next'], `cut at ${cut}`)
      assert.deepEqual(next.damaged, [])
      await next.log.close()
    }
  })

  test('with a tail of zeros or of garbage: truncates the tail', async (t) => {
    for (const tail of [Buffer.alloc(5000), Buffer.alloc(5000, 0xff), Buffer.from('not an entry, but long enough')]) {
      const dir = await temporaryFolder(t)
      const first = await openLog(dir)
      await first.log.append(bytes(texts(0, 5)))
      await first.log.close()
      const [name] = await segmentsOf(dir)
      await writeFile(join(dir, name!), tail, { flag: 'a' })
      const { log, torn } = await openLog(dir)
      assert.equal(torn[0]?.bytes, tail.length)
      assert.deepEqual(await readAll(log), texts(0, 5))
      await log.close()
    }
  })

  test('at any byte of the position: repeats released payloads at most, and loses none', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await openLog(dir)
    await first.log.append(bytes(texts(0, 20)))
    await first.log.read(8)
    await first.log.release(first.log.readPosition)
    await first.log.close()
    const position = await readFile(join(dir, 'position'))
    for (let cut = 0; cut < position.length; cut++) {
      await writeFile(join(dir, 'position'), position.subarray(0, cut))
      const { log } = await openLog(dir)
      const all = await readAll(log)
      assert.deepEqual(all.slice(-12), texts(8, 20), `cut at ${cut}`)
      await log.close()
    }
  })
})

describe('a spill log with damage before its end', () => {
  test('loses the damaged payloads only, reports the damage, and returns nothing that was not written', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await openLog(dir, 1)
    const payloads = texts(0, 8)
    // Two segments; the damage is in the first.
    await first.log.append(bytes(payloads.slice(0, 6)))
    const size = first.log.bytes
    await first.log.append(bytes(payloads.slice(6)))
    await first.log.close()
    const [name] = await segmentsOf(dir)
    const sound = await readFile(join(dir, name!))
    for (let at = 0; at < size; at += LONG ? 1 : 3) {
      const damagedBytes = Buffer.from(sound)
      damagedBytes[at]! ^= 0x10
      await writeFile(join(dir, name!), damagedBytes)
      const { log, torn, damaged } = await openLog(dir, 1)
      const all = await readAll(log)
      assert.deepEqual(
        all,
        payloads.filter((payload) => all.includes(payload)),
        `damage at ${at}`,
      )
      assert.deepEqual(all.slice(-2), payloads.slice(6))
      assert.equal(torn.length, 0)
      assert.equal(damaged.length, 1)
      const { bytes: lost, at: from } = damaged[0]!
      assert.ok(from <= at && at < from + lost, `damage at ${at}, reported from ${from} to ${from + lost}`)
      // A damaged payload loses one entry. A damaged length also loses the entries behind it in the segment.
      if (at % 17 >= 8) assert.equal(all.length, payloads.length - 1, `damage at ${at}`)
      await log.close()
    }
  })
})

describe('a spill log on a disk that fails', () => {
  test('holds nothing of a write that failed in part, and all of the next write', async (t) => {
    const dir = await temporaryFolder(t)
    const { log } = await openLog(dir)
    await log.append(bytes(texts(0, 5)))
    const heal = await fillDisk(dir)
    await assert.rejects(log.append(bytes(texts(5, 10))), { code: 'ENOSPC' })
    heal()
    assert.equal(await sizeOf(dir, await segmentsOf(dir)), log.bytes, 'the failed write left no bytes')
    await log.append(bytes(['healed']))
    const expected = [...texts(0, 5), 'healed']
    assert.deepEqual(await readAll(log), expected)
    await log.close()
    const next = await openLog(dir)
    assert.deepEqual(await readAll(next.log), expected)
    assert.deepEqual([...next.torn, ...next.damaged], [])
    await next.log.close()
  })
})

test('a segment has a sixteenth of the bound, between 64 KiB and 16 MiB', () => {
  assert.equal(segmentBytesFor(1), 64 * 1024)
  assert.equal(segmentBytesFor(16 * 1024 * 1024), 1024 * 1024)
  assert.equal(segmentBytesFor(1024 ** 4), 16 * 1024 * 1024)
})

async function sizeOf(dir: string, names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
