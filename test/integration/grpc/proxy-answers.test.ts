import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { NotConnectedError } from '@tributary/connect-api'
import type { LogLine } from '@tributary/telemetry/testing'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'
import { END_STREAM, FRAME, frame, headers, startFramer } from '../../support/http2-framer.ts'

const PAGE = '<html>\n<head><title>404 Not Found</title></head><body><h1>no such host</h1>nginx token=abc</body></html>'

/** Connects a task to a server that answers each call like this, and returns the error. `log`: gets what the task logs. */
async function connectTo(
  serve: (socket: Socket, stream: number) => void,
  props: Record<string, string> = {},
  log: LogLine[] = [],
): Promise<unknown> {
  const framer = await startFramer(serve)
  const driven = await driveTask(tickerProps(framer.port, props))
  try {
    const attempts: unknown[] = []
    // Three times, as the third refusal of a gRPC server is final.
    for (let i = 0; i < 3; i++) attempts.push(await driven.connect().catch((error: unknown) => error))
    log.push(...driven.log)
    return attempts.at(-1)
  } finally {
    await driven.task.stop()
    framer.stop()
  }
}

function page(status: number, fields: readonly (readonly [string, string])[] = [], body = PAGE) {
  return (socket: Socket, stream: number): void => {
    socket.write(headers(stream, [[':status', String(status)], ['content-type', 'text/html'], ...fields]))
    socket.write(frame(FRAME.DATA, END_STREAM, stream, Buffer.from(body)))
  }
}

describe('an answer that did not come from a gRPC server', () => {
  for (const status of [401, 403, 404, 429, 502, 503]) {
    test(`is retried, its words in the log at debug alone: HTTP status ${status}`, async () => {
      const log: LogLine[] = []
      const error = await connectTo(page(status), {}, log)
      assert.ok(error instanceof NotConnectedError, String(error))
      assert.match(error.message, new RegExp(`the answer is HTTP status ${status}, not gRPC$`))
      assert.doesNotMatch(inspect(error, { depth: 9 }), /such host/)
      const told = log.filter(({ fields }) => inspect(fields).includes('such host'))
      assert.deepEqual(told[0], { ...told[0], level: 'debug', event: 'grpc_answer_foreign' })
      assert.equal(told[0]?.fields['body'], '404 Not Found no such host nginx token=[hidden]')
    })
  }

  test('is retried where the schema is asked for too', async () => {
    const error = await connectTo(page(404), { 'grpc.proto.descriptor': '' })
    assert.ok(error instanceof NotConnectedError, String(error))
    assert.match(error.message, /HTTP status 404, not gRPC$/)
  })

  test('is retried with HTTP status 200 and a page', async () => {
    const error = await connectTo(page(200))
    assert.ok(error instanceof NotConnectedError)
    assert.match(error.message, /content-type is 'text\/html', not application\/grpc$/)
  })

  test('has its wish to wait heeded', async () => {
    const error = await connectTo(page(503, [['retry-after', '7']]))
    assert.ok(error instanceof NotConnectedError)
    assert.equal(error.retryAfterMs, 7000)
  })

  test('may be a status without a body, and a body without an end', async () => {
    const bare = (socket: Socket, stream: number): void =>
      void socket.write(headers(stream, [[':status', '502']], END_STREAM))
    assert.match(String(await connectTo(bare)), /HTTP status 502, not gRPC/)
    const endless = (socket: Socket, stream: number): void => {
      socket.write(headers(stream, [[':status', '502']]))
      socket.write(frame(FRAME.DATA, 0, stream, Buffer.from('so far')))
    }
    assert.match(String(await connectTo(endless)), /HTTP status 502, not gRPC$/)
  })
})

/** The reason why a task cannot connect to a server that sends `greeting` after it has read something. */
async function reasonOf(greeting: string, props: Record<string, string> = {}): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(greeting))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const driven = await driveTask(tickerProps((server.address() as AddressInfo).port, props))
  const error: unknown = await driven.connect().catch((e: unknown) => e)
  assert.ok(error instanceof NotConnectedError)
  await driven.task.stop()
  server.close()
  return error.message
}

describe('a server that does not speak HTTP/2 is named', () => {
  test('over plaintext', async () => {
    assert.match(
      await reasonOf('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /speaks HTTP\/1\.1, not HTTP\/2; it answered with status 400$/,
    )
    assert.match(await reasonOf('SSH-2.0-OpenSSH_9.2\r\n'), /the server does not speak HTTP\/2$/)
    assert.match(await reasonOf('\x15\x03\x01\0\x02\x02\x46'), /speaks TLS on this port; see grpc.tls.enabled/)
    assert.match(await reasonOf(''), /closed the connection before it spoke HTTP\/2; does it expect TLS/)
  })

  test('over TLS', async () => {
    const tls = { 'grpc.tls.enabled': 'true' }
    assert.match(
      await reasonOf('HTTP/1.1 400 Bad Request\r\n\r\n', tls),
      /does not speak TLS on this port; see grpc.tls.enabled/,
    )
    // The alert no_application_protocol.
    assert.match(
      await reasonOf('\x15\x03\x03\0\x02\x02\x78', tls),
      /does not offer HTTP\/2 over TLS \(ALPN protocol h2\)/,
    )
  })
})
