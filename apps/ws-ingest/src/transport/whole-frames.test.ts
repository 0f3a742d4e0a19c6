import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { test } from 'node:test'
import { itemOf } from '@tributary/connect-api'
import type { ReceivedMessages } from '../message/received-messages.ts'
import { WholeFrames } from './whole-frames.ts'

const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { maxPayload: number; skipUTF8Validation: boolean; maxFragments: number }) => Writable
}

const MAX_MESSAGE_BYTES = 1000
const OPTIONS = { maxPayload: MAX_MESSAGE_BYTES, maxFragments: 100 }

/** mulberry32: the same numbers for the same seed. */
function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function frame(first: number, payload: Buffer, lengthBytes: 0 | 2 | 8, mask = 0): Buffer {
  const header = Buffer.alloc(2 + lengthBytes)
  header[0] = first
  header[1] = mask | (lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) header.writeUInt16BE(payload.length, 2)
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([header, payload])
}

/** How many bytes the length of a payload takes at least (RFC 6455, section 5.2). */
function shortestOf({ length }: Buffer): 0 | 2 | 8 {
  return length < 126 ? 0 : length < 65_536 ? 2 : 8
}

const TEXTS = ['', 'a', 'tick', '{"price":"1,10 €"}', 'ü', '\u{1f980}', '\0', 'x'.repeat(125), 'y'.repeat(126)]
/** No UTF-8: a sequence that ends too early, one that has no beginning, an overlong one, a surrogate, beyond U+10FFFF. */
const BROKEN_TEXTS = ['e282', '80', '82ac', 'c080', 'eda080', 'f4908080', '61ff'].map((hex) => Buffer.from(hex, 'hex'))

/** Frames as servers send them, and, towards the end, perhaps one that breaks the protocol or a limit. */
function framesOf(random: () => number): Buffer {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  const bytes = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, () => random() * 256))
  const text = (): Buffer =>
    random() < 0.02
      ? pick(BROKEN_TEXTS)
      : Buffer.from(random() < 0.05 ? pick(TEXTS).repeat(random() * 600) : pick(TEXTS))
  const message = (): Buffer[] => {
    const isText = random() < 0.7
    const payload = isText ? text() : bytes(random() < 0.05 ? random() * 3000 : random() * 130)
    const shortest = shortestOf(payload)
    const lengthBytes = random() < 0.03 ? 8 : random() < 0.05 && shortest === 0 ? 2 : shortest
    return [frame(0x80 | (isText ? 1 : 2), payload, lengthBytes)]
  }
  const control = (): Buffer => frame(0x80 | pick([9, 10]), bytes(random() * 125), 0)
  const fragmented = (): Buffer[] => {
    const payload = text()
    const cuts = Array.from({ length: 1 + random() * 4 }, () => Math.floor(random() * payload.length)).sort(
      (a, b) => a - b,
    )
    const parts = [0, ...cuts].map((at, i) => payload.subarray(at, cuts[i]))
    return parts.flatMap((part, i) => [
      ...(random() < 0.2 ? [control()] : []),
      frame((i === parts.length - 1 ? 0x80 : 0) | (i === 0 ? 1 : 0), part, shortestOf(part)),
    ])
  }
  const wrong = (): Buffer[] =>
    pick<() => Buffer[]>([
      () => [frame(0x88, Buffer.from([3, 232, 111, 107]), 0)],
      () => [frame(0x88, Buffer.alloc(0), 0)],
      () => [frame(0x88, Buffer.from([0, 1]), 0)],
      () => [frame(0xc1, Buffer.from('a'), 0)],
      () => [frame(0x91, Buffer.from('a'), 0)],
      () => [frame(0x83, Buffer.from('a'), 0)],
      () => [frame(0x80, Buffer.from('a'), 0)],
      () => [frame(0x81, Buffer.from('abcd'), 0, 0x80)],
      () => [frame(0x09, Buffer.from('a'), 0)],
      () => [frame(0x89, bytes(126), 2)],
      () => [frame(0x82, bytes(MAX_MESSAGE_BYTES + 1), 8)],
      () => [frame(0x01, Buffer.from('a'), 0), frame(0x81, Buffer.from('b'), 0)],
      () => [Buffer.from('827fffffffffffffffff', 'hex')],
      () => [frame(0x81, pick(BROKEN_TEXTS), 0)],
    ])()
  const frames: Buffer[] = []
  const count = random() * 40
  for (let i = 0; i < count; i++) {
    const kind = random()
    frames.push(...(kind < 0.85 ? message() : kind < 0.93 ? [control()] : fragmented()))
    if (random() < 0.01) frames.push(...wrong())
  }
  if (random() < 0.3) frames.push(...wrong(), ...message(), ...message())
  return Buffer.concat(frames)
}

/** What a receiver reports, in order. */
function watch(receiver: Writable, events: string[]): void {
  const hex = (data: Buffer): string => data.toString('hex')
  receiver.on('message', (data: Buffer, binary: boolean) => events.push(`${binary ? 'binary' : 'text'} ${hex(data)}`))
  receiver.on('ping', (data: Buffer) => events.push(`ping ${hex(data)}`))
  receiver.on('pong', (data: Buffer) => events.push(`pong ${hex(data)}`))
  receiver.on('conclude', (code: number, reason: Buffer) => events.push(`close ${code} ${hex(reason)}`))
  receiver.on('error', (error: Error & { code?: string }) => events.push(`error ${error.code} ${error.message}`))
}

test('whole frames and the receiver of ws report together what the receiver reports alone', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let [taken, passed] = [0, 0]
  for (let round = 0; round < 300; round++) {
    const random = numbersOf(seed + round)
    const sent = framesOf(random)
    const skipUTF8Validation = random() < 0.3
    const [expected, events]: [string[], string[]] = [[], []]
    const alone = new Receiver({ ...OPTIONS, skipUTF8Validation })
    const behind = new Receiver({ ...OPTIONS, skipUTF8Validation })
    watch(alone, expected)
    watch(behind, events)
    behind.on('message', () => passed++)
    const frames = new WholeFrames({
      receiver: behind,
      pass: (part) => behind.write(part),
      maxMessageBytes: MAX_MESSAGE_BYTES,
      utf8Validation: !skipUTF8Validation,
      onMessages: (messages) => {
        taken += messages.count
        for (let i = 0; i < messages.count; i++) events.push(described(messages, i))
      },
    })
    const largest = random() < 0.3 ? 20 : 2000
    for (let at = 0; at < sent.length;) {
      const to = at + 1 + Math.floor(random() * largest)
      if (!alone.errored && !alone.writableEnded) alone.write(Buffer.from(sent.subarray(at, to)))
      frames.read(Buffer.from(sent.subarray(at, to)))
      if (random() < 0.3) await new Promise(setImmediate)
      at = to
    }
    await new Promise(setImmediate)
    assert.deepEqual(events, expected, `seed ${seed + round}`)
  }
  assert.ok(taken > passed, `${taken} messages were taken, ${passed} passed`)
})

function described(messages: ReceivedMessages, index: number): string {
  return `${messages.binary ? 'binary' : 'text'} ${itemOf(messages, index)!.toString('hex')}`
}

function collecting(utf8Validation: boolean): { frames: WholeFrames; runs: ReceivedMessages[] } {
  const receiver = new Receiver({ ...OPTIONS, skipUTF8Validation: !utf8Validation })
  const runs: ReceivedMessages[] = []
  const parts = { receiver, pass: (part: Buffer) => receiver.write(part), maxMessageBytes: MAX_MESSAGE_BYTES }
  return { frames: new WholeFrames({ ...parts, utf8Validation, onMessages: (run) => runs.push(run) }), runs }
}

test('a run says whether all of its text is valid, where the transport does not check it', () => {
  const text = (payload: Buffer): Buffer => frame(0x81, payload, 0)
  for (const [payloads, valid] of [
    [[Buffer.from('ü'), Buffer.from('b')], true],
    [[Buffer.from('b'), Buffer.from('e2', 'hex'), Buffer.from('82ac', 'hex')], false],
  ] as const) {
    const { frames, runs } = collecting(false)
    frames.read(Buffer.concat(payloads.map(text)))
    assert.deepEqual(
      runs.map(({ count, validText }) => [count, validText]),
      [[payloads.length, valid]],
    )
  }
})

test('a few messages do not hold the memory of what was read with them', () => {
  const { frames, runs } = collecting(true)
  const small = frame(0x82, Buffer.alloc(100, 1), 0)
  const large = frame(0x82, Buffer.alloc(900, 2), 2)
  frames.read(Buffer.concat([small, frame(0x89, Buffer.alloc(0), 0), large.subarray(0, 700)]))
  frames.read(Buffer.concat([large.subarray(700), small]))
  assert.deepEqual(
    runs.map(({ count, bytes }) => [count, bytes.buffer.byteLength]),
    [
      [1, 102],
      [1, 102],
    ],
  )
  frames.read(Buffer.concat(Array.from({ length: 100 }, () => small)))
  assert.deepEqual([runs[2]!.count, runs[2]!.bytes.buffer.byteLength], [100, 10_200])
})
