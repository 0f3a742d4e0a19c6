import assert from 'node:assert/strict'
import { DataCoalescer } from '../../apps/grpc-ingest/src/transport/data-coalescer.ts'
import { END_STREAM, FRAME, frame } from '../support/http2-framer.ts'
import { mutateBytes } from './driver.ts'
import type { Random, Target } from './driver.ts'

const MAX_PAYLOAD = 16_384
const PADDED = 0x8

interface Frame {
  /** Type, flags and stream. */
  readonly kind: string
  /** The length that the header says; the last frame may be cut. */
  readonly length: number
  readonly payload: Buffer
}

/** Frames as a server sends them, in the pieces in which a socket reads them. */
type Pieces = readonly Buffer[]

/** The frames of HTTP/2 before and after they are joined. A test can replace `create` by a coalescer with a planted bug. */
export function framesTarget(create: () => Pick<DataCoalescer, 'push'> = () => new DataCoalescer()): Target<Pieces> {
  return {
    name: 'frames',
    generate(random) {
      const bytes = Buffer.concat(Array.from({ length: 1 + random.int(30) }, () => anyFrame(random)))
      return cut(random, random.chance(0.1) ? Buffer.from(mutateBytes(random, new Uint8Array(bytes))) : bytes)
    },
    run(pieces) {
      const coalescer = create()
      const read: Buffer[] = []
      const seen: Buffer[] = []
      for (const piece of pieces) {
        read.push(piece)
        // The coalescer moves the bytes that it gets, and what it returns lives no longer than they do.
        seen.push(Buffer.from(coalescer.push(Buffer.from(piece))))
        const [before, after] = [framesOf(Buffer.concat(read)), framesOf(Buffer.concat(seen))]
        assert.equal(bytesOf(after), bytesOf(before), 'payload is held, or lost')
      }
      const [before, after] = [framesOf(Buffer.concat(read)), framesOf(Buffer.concat(seen))]
      assert.deepEqual(joined(after), joined(before))
      for (const { length } of after) {
        assert.ok(length <= MAX_PAYLOAD || before.some((one) => one.length === length), `a frame of ${length} bytes`)
      }
      return 'past'
    },
    show: (pieces) => pieces.map((piece) => piece.toString('base64')).join(' '),
  }
}

function anyFrame(random: Random): Buffer {
  const type = random.chance(0.8) ? FRAME.DATA : random.pick(Object.values(FRAME))
  const flags = random.chance(0.9) ? 0 : random.pick([END_STREAM, PADDED])
  const stream = random.chance(0.8) ? 1 : random.pick([0, 3, 2 ** 31 - 1, 2 ** 31 + 1])
  const length = random.chance(0.9) ? random.int(300) : random.int(MAX_PAYLOAD + 1)
  return frame(type, flags, stream, Buffer.alloc(length, random.int(256)))
}

function cut(random: Random, bytes: Buffer): Pieces {
  const pieces: Buffer[] = []
  const most = random.pick([1, 8, 20, 500, 100_000])
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.int(most)
    pieces.push(bytes.subarray(at, at + size))
    at += size
    // Many pieces take long, as each is compared with all before it.
    if (pieces.length > 60) return [...pieces, bytes.subarray(at)]
  }
  return pieces
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3)
    frames.push({
      kind: bytes.toString('hex', at + 3, at + 9),
      length,
      payload: bytes.subarray(at + 9, at + 9 + length),
    })
    at += 9 + length
  }
  return frames
}

const bytesOf = (frames: readonly Frame[]): number => frames.reduce((sum, { payload }) => sum + payload.length, 0)

/** The same frames, with neighbouring DATA frames of one stream and without flags as one. */
function joined(frames: readonly Frame[]): { kind: string; length: number; bytes: string }[] {
  const out: { kind: string; length: number; bytes: string }[] = []
  for (const { kind, length, payload } of frames) {
    const last = out.at(-1)
    if (last?.kind === kind && kind.startsWith('0000')) {
      last.length += length
      last.bytes += payload.toString('hex')
    } else out.push({ kind, length, bytes: payload.toString('hex') })
  }
  return out
}
