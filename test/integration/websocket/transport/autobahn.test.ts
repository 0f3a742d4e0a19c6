import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AutobahnCase, protocolCases, sizedCase, utf8Cases } from './autobahn-cases.ts'
import { openFeed } from './open.ts'
import { OPCODE } from './raw-frames.ts'
import { type RawServer, startRawServer } from './raw-server.ts'

const long = process.env['TRIBUTARY_TEST_LONG'] === '1'
const KIB = 1024

/**
 * Cases 9. The suite uses up to 16 MiB in fragments of 64 bytes, and chops of 64 bytes; a tenth of these is enough
 * here.
 */
function limitCases(): AutobahnCase[] {
  const sizes = [64, 256, 1024, 4096, 8192, 16_384].map((size) => size * KIB)
  const fragmentsOf = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, KIB * KIB, 4 * KIB * KIB]
  const chopsOf = [64, 128, 256, 512, KIB, 2 * KIB]
  const whole = long ? KIB * KIB : 128 * KIB
  return [OPCODE.text, OPCODE.binary].flatMap((opcode, i) => [
    ...sizes.map((size, n) => sizedCase(`9.${i + 1}.${n + 1}`, opcode, size, {})),
    ...fragmentsOf.map((fragment, n) => sizedCase(`9.${i + 3}.${n + 1}`, opcode, 4 * KIB * KIB, { fragment })),
    ...chopsOf.map((chop, n) => sizedCase(`9.${i + 5}.${n + 1}`, opcode, whole, { chop })),
  ])
}

describe('the Autobahn cases of a client', { concurrency: 8 }, () => {
  let server: RawServer
  before(async () => {
    server = await startRawServer()
  })
  after(() => server.stop())

  for (const autobahn of [...protocolCases, ...utf8Cases, ...limitCases()]) {
    test(`case ${autobahn.id}`, () => passes(server, autobahn))
  }
})

async function passes(server: RawServer, { id, sent, chop, messages = [], pongs = [], close = [1000] }: AutobahnCase) {
  const feed = await openFeed(`ws://127.0.0.1:${server.port}/${id}`, { compression: false })
  const peer = await server.peerAt(`/${id}`)
  for (const bytes of sent) await peer.sendChopped(bytes, chop ?? bytes.length)
  const code = await peer.closeCode()
  assert.ok(close.includes(code), `the close frame bears ${code}`)
  const end = await feed.ended()
  assert.equal(end.code, code)
  assert.deepEqual(feed.messages, messages)
  const answered = peer.framesOf(OPCODE.pong).map(({ payload }) => payload.toString('latin1'))
  assert.deepEqual(answered, pongs)
  // A client that has sent its close frame ends its side of TCP when the server has ended its own.
  peer.socket.end()
}
