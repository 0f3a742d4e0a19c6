import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { test } from 'node:test'
import { lengthPrefixed } from './message-decoder.ts'
import { openSession } from './session.ts'
import type { GrpcStatus } from './status.ts'

const MESSAGES = 3000

/** A frame of HTTP/2 in hexadecimal: type, flags and stream, then the payload. */
function frame(head: string, payload: Buffer | string): Buffer {
  const content = Buffer.from(payload as string, 'hex')
  const length = Buffer.alloc(3)
  length.writeUIntBE(content.length, 0, 3)
  return Buffer.concat([length, Buffer.from(head, 'hex'), content])
}

const literal = (...texts: string[]): string =>
  `00${texts.map((text) => Buffer.of(text.length, ...Buffer.from(text)).toString('hex')).join('')}`
const SETTINGS = frame('040000000000', '')
const HEADERS = frame('010400000001', `88${literal('content-type', 'application/grpc')}`)
const DATA = frame('000000000001', lengthPrefixed(Buffer.alloc(60, 1)).toString('hex'))
const PING = frame('060000000000', '0102030405060708')
const TRAILERS = frame('010500000001', literal('grpc-status', '0'))

/** Whether a HEADERS frame has come behind the preface of 24 bytes. */
function hasRequest(bytes: Buffer): boolean {
  for (let at = 24; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) if (bytes[at + 3] === 1) return true
  return false
}

test('what a server sends before it ends the connection arrives, also while answers to its PINGs are under way', async (t) => {
  const stream = [HEADERS, ...Array.from({ length: MESSAGES }, (_, i) => (i % 50 === 0 ? [PING, DATA] : [DATA])).flat()]
  const server = net.createServer((peer) => {
    peer.on('error', () => undefined)
    peer.write(SETTINGS)
    let received = Buffer.alloc(0)
    peer.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      if (stream.length > 0 && hasRequest(received)) peer.end(Buffer.concat([...stream.splice(0), TRAILERS]))
    })
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const times = { connectTimeoutMs: 5000, keepaliveTimeMs: 0, keepaliveTimeoutMs: 0 }
  const session = await openSession({ host: '127.0.0.1', port, tls: null, ...times }, new AbortController().signal)
  t.after(() => session.close())
  let count = 0
  const { promise, resolve } = Promise.withResolvers<GrpcStatus>()
  const request = { path: '/a/b', metadata: {}, message: Buffer.alloc(0), deadlineMs: 0, maxMessageBytes: 1000 }
  session.call(request, {
    onHeaders: () => undefined,
    onMessages: (messages) => (count += messages.count),
    onEnd: resolve,
  })
  assert.deepEqual([(await promise).status, count], ['OK', MESSAGES])
})
