import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { NotConnectedError } from '@tributary/connect-api'
import { openSession } from '../../../apps/grpc-ingest/src/transport/index.ts'
import { type CallOutcome, callOnce, plainSession } from '../../support/grpc-call.ts'

/** Calls a server whose every frame `serve` writes. Returns the outcome of the call. */
async function call(serve: (stream: ServerHttp2Stream) => void): Promise<CallOutcome> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    // The client may end the stream first.
    stream.on('error', () => {})
    stream.resume()
    serve(stream)
  })
  // The client may also end the session first.
  server.on('sessionError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outcome = await callOnce(port)
  server.close()
  return outcome
}

function frame(text: string | Buffer, flag = 0): Buffer {
  const message = Buffer.from(text)
  const prefix = Buffer.alloc(5, 0)
  prefix[0] = flag
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function respond(stream: ServerHttp2Stream, headers: Record<string, string> = {}): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...headers }, { waitForTrailers: true })
}

function end(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end()
}

describe('the gRPC transport', () => {
  test('delivers the messages, then the status of the trailers', async () => {
    const { messages, status, answered } = await call((stream) => {
      respond(stream)
      stream.write(Buffer.concat([frame('one'), frame('')]))
      stream.write(frame('three'))
      end(stream, { 'grpc-status': '9', 'grpc-message': 'no 100%25 %C3%BC' })
    })
    assert.deepEqual(messages, ['one', '', 'three'])
    assert.deepEqual([answered, status.status, status.message], [true, 'FAILED_PRECONDITION', 'no 100% ü'])
  })

  test('does not count an answer with only a status as connected', async () => {
    const { status, answered } = await call((stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'gone' },
        { endStream: true },
      )
    })
    assert.deepEqual([answered, status.status, status.message, status.local], [false, 'NOT_FOUND', 'gone', false])
  })

  test('decompresses compressed messages', async () => {
    const { messages, status } = await call((stream) => {
      respond(stream, { 'grpc-encoding': 'gzip' })
      stream.write(Buffer.concat([frame(gzipSync('squeezed'), 1), frame('plain')]))
      end(stream, { 'grpc-status': '0' })
    })
    assert.deepEqual([messages, status.status], [['squeezed', 'plain'], 'OK'])
  })

  test('refuses a compression that it did not offer', async () => {
    const { status } = await call((stream) => respond(stream, { 'grpc-encoding': 'zstd' }))
    assert.deepEqual([status.status, status.local], ['INTERNAL', true])
    assert.match(status.message, /zstd/)
  })

  for (const [http, grpc] of [
    [503, 'UNAVAILABLE'],
    [404, 'UNIMPLEMENTED'],
    [401, 'UNAUTHENTICATED'],
  ] as const) {
    test(`maps HTTP status ${http} to ${grpc}`, async () => {
      const { status, answered } = await call((stream) => {
        stream.respond({ ':status': http, 'content-type': 'text/html' })
        stream.end('<html>')
      })
      assert.deepEqual([status.status, answered], [grpc, false])
      assert.match(status.message, new RegExp(`HTTP status ${http}`))
    })
  }

  test('reports an answer that is not gRPC', async () => {
    const { status } = await call((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' })
      stream.end('<html>')
    })
    assert.match(status.message, /content-type is 'text\/html'/)
  })

  test('reports a stream that ends without a status, or in the middle of a message', async () => {
    const whole = await call((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end(frame('one'))
    })
    assert.deepEqual([whole.messages, whole.status.status], [['one'], 'UNAVAILABLE'])
    assert.match(whole.status.message, /ended without a status/)
    const cut = await call((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end(Buffer.concat([frame('one'), frame('two').subarray(0, 6)]))
    })
    assert.deepEqual(cut.messages, ['one'])
    assert.match(cut.status.message, /in the middle of a message/)
  })

  test('maps the code of a reset to a status', async () => {
    const { messages, status } = await call((stream) => {
      respond(stream)
      stream.write(frame('one'), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
    })
    assert.deepEqual([messages, status.status], [['one'], 'INTERNAL'])
    assert.match(status.message, /HTTP\/2 code 2/)
  })

  test('learns from GOAWAY that it pings too often', async () => {
    const { status, tooManyPings } = await call((stream) => {
      respond(stream)
      stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
    })
    assert.equal(tooManyPings, true)
    assert.match(status.message, /too_many_pings/)
  })

  test('reports a connection that was lost before the call', async () => {
    const server = createServer()
    server.on('session', (session) => session.once('remoteSettings', () => session.destroy()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const session = await openSession(plainSession(port), new AbortController().signal)
    const request = { path: '/a.B/C', metadata: {}, message: Buffer.alloc(0), deadlineMs: 0, maxMessageBytes: 1000 }
    const ended = (): Promise<string> =>
      new Promise((resolve, reject) => {
        try {
          session.call(request, {
            onHeaders: () => {},
            onMessages: () => {},
            onEnd: (status) => resolve(status.status),
          })
        } catch (error) {
          reject(error)
        }
      })
    // Until the client has noticed the end of the connection, that end ends the call.
    await assert.rejects(
      async () => {
        for (;;) assert.equal(await ended(), 'UNAVAILABLE')
      },
      (error: unknown) => error instanceof NotConnectedError && /is gone/.test(error.message),
    )
    server.close()
  })
})
