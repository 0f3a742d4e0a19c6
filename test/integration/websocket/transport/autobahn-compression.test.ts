import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  type DeflateParameters,
  MessageDeflater,
  MessageInflater,
  closeFrame,
  fragments,
  OPCODE,
} from './raw-frames.ts'
import { openFeed } from './open.ts'
import { type RawServer, startRawServer } from './raw-server.ts'
import { until } from '../../../support/until.ts'

const KIB = 1024

/** Messages of a case. The suite sends 1000. */
const COUNT = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 100 : 5

/** Size of a message and of its frames, numbered from 1 as in the suite. */
const SIZES: readonly (readonly [bytes: number, fragment?: number])[] = [
  [16],
  [64],
  [256],
  [KIB],
  [4 * KIB],
  [8 * KIB],
  [16 * KIB],
  [32 * KIB],
  [64 * KIB],
  [128 * KIB],
  [8 * KIB, 256],
  [16 * KIB, 256],
  [32 * KIB, 256],
  [64 * KIB, 256],
  [128 * KIB, 256],
  [128 * KIB, KIB],
  [128 * KIB, 4 * KIB],
  [128 * KIB, 32 * KIB],
]

/** Kinds of data as in the suite: JSON, a picture, a book, a web page, a document that is already compressed. */
const DATA: readonly { readonly opcode: number; readonly bytes: Buffer }[] = [
  { opcode: OPCODE.text, bytes: repeated((i) => `{"symbol":"S${i % 40}","price":${(i * 7919) % 10_007},"seq":${i}},`) },
  { opcode: OPCODE.binary, bytes: repeated((i) => String.fromCharCode(i % 251).repeat((i % 7) + 1)) },
  { opcode: OPCODE.binary, bytes: repeated((i) => `Habe nun, ach! Philosophie ${i}, Juristerei und Medizin. `) },
  { opcode: OPCODE.text, bytes: repeated((i) => `<li class="row"><a href="/item/${i}">${i * i}</a></li>\n`) },
  { opcode: OPCODE.binary, bytes: randomBytes(300 * KIB) },
]

/** The parameters that the server sets for the client's direction in cases 13.1 to 13.7. */
const CLIENT_PARAMETERS: readonly DeflateParameters[] = [
  {},
  { noContext: true },
  { windowBits: 9 },
  { windowBits: 15 },
  { noContext: true, windowBits: 9 },
  { noContext: true, windowBits: 15 },
  { noContext: true, windowBits: 9 },
]

function repeated(part: (i: number) => string): Buffer {
  return Buffer.from(Array.from({ length: 12_000 }, (_, i) => part(i)).join('')).subarray(0, 300 * KIB)
}

interface CompressionCase {
  readonly id: string
  readonly opcode: number
  readonly bytes: Buffer
  readonly size: readonly [bytes: number, fragment?: number]
  readonly fromServer: DeflateParameters
  readonly fromClient: DeflateParameters
}

describe('the Autobahn cases of compression', { concurrency: 8 }, () => {
  let server: RawServer
  before(async () => {
    server = await startRawServer(() => {})
  })
  after(() => server.stop())

  for (const [kind, data] of DATA.entries()) {
    for (const [i, size] of SIZES.entries()) {
      const id = `12.${kind + 1}.${i + 1}`
      test(`case ${id}`, () => passes(server, { id, ...data, size, fromServer: {}, fromClient: {} }))
    }
  }
  for (const [kind, fromClient] of CLIENT_PARAMETERS.entries()) {
    for (const [i, size] of SIZES.entries()) {
      // Beyond the suite, the server limits its own direction too.
      const fromServer = fromClient
      const id = `13.${kind + 1}.${i + 1}`
      test(`case ${id}`, () => passes(server, { id, ...DATA[0]!, size, fromServer, fromClient }))
    }
  }
})

async function passes(server: RawServer, { id, opcode, bytes, size, fromServer, fromClient }: CompressionCase) {
  const [length, fragment = Infinity] = size
  const opening = openFeed(`ws://127.0.0.1:${server.port}/${id}`)
  const peer = await server.peerAt(`/${id}`)
  assert.match(peer.headers['sec-websocket-extensions']!, /^permessage-deflate(?:; client_max_window_bits)?$/)
  const chosen = ['permessage-deflate', ...parameters('server', fromServer), ...parameters('client', fromClient)]
  peer.accept({ 'Sec-WebSocket-Extensions': chosen.join('; ') })
  const feed = await opening

  const deflater = new MessageDeflater(fromServer)
  const messages = Array.from({ length: COUNT }, (_, i) => {
    const from = (i * 7919) % (bytes.length - length)
    return bytes.subarray(from, from + length)
  })
  for (const message of messages) peer.send(...fragments(opcode, await deflater.deflate(message), fragment, 4))
  await feed.received(COUNT)
  assert.deepEqual(feed.messages, messages)

  const inflater = new MessageInflater(fromClient)
  const texts = [1, 2].map((n) => `{"op":"subscribe","args":["${'x'.repeat(2000)}${n}"]}`)
  for (const text of texts) feed.connection.send(text)
  const sent = await until('what the client sends', () => {
    const frames = peer.framesOf(OPCODE.text)
    return frames.length === 2 && frames
  })
  for (const [i, { payload, compressed }] of sent.entries()) {
    assert.equal((compressed ? await inflater.inflate(payload) : payload).toString(), texts[i])
  }
  peer.send(closeFrame(1000))
  assert.equal(await peer.closeCode(), 1000)
  assert.equal((await feed.ended()).code, 1000)
  peer.socket.end()
}

function parameters(direction: string, { noContext, windowBits }: DeflateParameters): string[] {
  return [
    ...(noContext ? [`${direction}_no_context_takeover`] : []),
    ...(windowBits === undefined ? [] : [`${direction}_max_window_bits=${windowBits}`]),
  ]
}
