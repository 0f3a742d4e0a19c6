import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { callOnce, type CallOnceOptions, type CallOutcome } from '../../support/grpc-call.ts'
import {
  ANSWER,
  END_STREAM,
  FRAME,
  frame,
  goaway,
  headers,
  message,
  reset,
  startFramer,
} from '../../support/http2-framer.ts'

/** The outcome of a call to a server that writes these bytes, in one packet each. */
async function callTo(...packets: readonly Buffer[]): Promise<CallOutcome> {
  return callServed((socket) => {
    for (const packet of packets) socket.write(packet)
  })
}

async function callServed(serve: (socket: Socket) => void, options: CallOnceOptions = {}): Promise<CallOutcome> {
  const framer = await startFramer(serve)
  try {
    return await callOnce(framer.port, options)
  } finally {
    framer.stop()
  }
}

const data = (bytes: Buffer): Buffer => frame(FRAME.DATA, 0, 1, bytes)
const answer = headers(1, ANSWER)
const trailers = (status: string): Buffer => headers(1, [['grpc-status', status]], END_STREAM)

describe('a server that frames by hand', () => {
  for (const status of ['0', '14']) {
    test(`cuts its last message, and ends with grpc-status ${status}`, async () => {
      const outcome = await callTo(answer, data(message('one')), data(message('two', 1)), trailers(status))
      assert.deepEqual(outcome.messages, ['one'])
      assert.equal(outcome.status.status, status === '0' ? 'INTERNAL' : 'UNAVAILABLE')
      assert.match(outcome.status.message, /in the middle of a message/)
    })
  }

  for (const [name, code] of [
    ['an error', constants.NGHTTP2_INTERNAL_ERROR],
    ['too_many_pings', constants.NGHTTP2_ENHANCE_YOUR_CALM],
  ] as const) {
    const packets = [data(message('one')), data(message('two')), goaway(code, name), data(message('three'))]
    test(`sends GOAWAY with ${name} between messages of one packet, then closes`, async () => {
      const outcome = await callServed((socket) => void socket.end(Buffer.concat([answer, ...packets])))
      assert.deepEqual(outcome.messages, ['one', 'two', 'three'])
      assert.equal(outcome.status.status, 'UNAVAILABLE')
      assert.match(outcome.status.message, new RegExp(`GOAWAY with code ${code} \\(${name}\\)`))
    })

    test(`sends GOAWAY with ${name} to a client that has paused`, async () => {
      const outcome = await callServed((socket) => void socket.end(Buffer.concat([answer, ...packets])), {
        pause: true,
      })
      assert.deepEqual([outcome.messages, outcome.status.status], [['one', 'two', 'three'], 'UNAVAILABLE'])
    })

    test(`sends GOAWAY with ${name} between messages, then ends the stream with its status`, async () => {
      const outcome = await callTo(answer, ...packets, trailers('11'))
      assert.deepEqual(outcome.messages, ['one', 'two', 'three'])
      assert.equal(outcome.status.status, 'OUT_OF_RANGE')
    })
  }

  test('sends an error GOAWAY, and neither ends the stream nor closes', async () => {
    const outcome = await callTo(answer, data(message('one')), goaway(constants.NGHTTP2_INTERNAL_ERROR, 'bug'))
    assert.deepEqual([outcome.messages, outcome.status.status], [['one'], 'UNAVAILABLE'])
  })

  test('cancels the stream, which is no loss of the connection', async () => {
    const { status } = await callTo(answer, data(message('one')), reset(1, constants.NGHTTP2_CANCEL))
    assert.equal(status.status, 'CANCELLED')
    assert.match(status.message, /the server cancelled the stream/)
  })

  test('closes the connection, which is no reset', async () => {
    const { status } = await callServed((socket) => void socket.end(answer))
    assert.equal(status.status, 'UNAVAILABLE')
    assert.match(status.message, /the connection was dropped: the server closed it/)
  })

  test('sends empty DATA frames between its messages, many thousands', async () => {
    const count = 5000
    const packets = Array.from({ length: count }, (_, i) => [data(Buffer.alloc(0)), data(message(String(i)))]).flat()
    const outcome = await callTo(Buffer.concat([answer, ...packets, trailers('0')]))
    assert.equal(outcome.status.status, 'OK')
    assert.equal(outcome.messages.length, count)
  })

  for (const [what, pairs] of [
    ['500 pairs', Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'v'] as const)],
    ['100 kB', Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'v'.repeat(5000)] as const)],
  ] as const) {
    test(`answers with ${what} of metadata`, async () => {
      const long = headers(1, [...ANSWER, ...pairs])
      const outcome = await callTo(long, data(message('one')), trailers('0'))
      assert.deepEqual([outcome.answered, outcome.messages, outcome.status.status], [true, ['one'], 'OK'])
    })

    test(`ends with ${what} of metadata`, async () => {
      const long = headers(1, [...pairs, ['grpc-status', '0']], END_STREAM)
      const outcome = await callTo(answer, data(message('one')), long)
      assert.deepEqual([outcome.messages, outcome.status.status], [['one'], 'OK'])
    })

    test(`gets ${what} of metadata`, async () => {
      const serve = (socket: Socket): void => void socket.write(Buffer.concat([answer, trailers('0')]))
      const outcome = await callServed(serve, { metadata: Object.fromEntries(pairs) })
      assert.equal(outcome.status.status, 'OK', outcome.status.message)
    })
  }

  test('answers with more metadata than this client can read', async () => {
    const pairs = Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'v'.repeat(5000)] as const)
    const { status } = await callTo(headers(1, [...ANSWER, ...pairs]))
    assert.equal(status.status, 'UNAVAILABLE')
    assert.match(status.message, /Too many CONTINUATION frames.*its metadata exceed 64 KiB in one value/)
  })

  test('would get more metadata than this client sends', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`x-${i}`, 'v'.repeat(5000)]))
    const { status } = await callServed(() => {}, { metadata })
    assert.match(status.message, /the metadata of the request is larger than 1048576 bytes/)
  })
})
