import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, STATUS_CODES } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { makeCertificates, temporaryFolder } from '@tributary/harness'
import { readFile } from 'node:fs/promises'
import { WebSocketServer } from 'ws'
import { echoes, newCanary } from './canaries.ts'

/** The ports of servers that refuse every caller, and repeat in the refusal whatever the caller has sent. */
export interface EchoServers {
  /**
   * HTTP, WebSocket handshakes, and proxies' CONNECT. `/session` takes the handshake and refuses the first message; `/sends` refuses
   * nothing and sends one message; `/token` is an OAuth endpoint that gives a token.
   */
  readonly http: number
  /** The same over TLS, with a certificate that nobody trusts. */
  readonly https: number
  /** gRPC: UNAUTHENTICATED with the metadata. */
  readonly grpc: number
  /** Requests so far, of all servers. */
  readonly requests: () => number
}

export async function startEchoServers(t: TestContext): Promise<EchoServers> {
  let requests = 0
  const seen = (): void => void requests++
  const http = createHttp()
  answer(http, seen)
  const { serverStore } = await makeCertificates(temporaryFolder('echo'))
  const pem = await readFile(serverStore)
  const https = createHttps({ key: pem, cert: pem })
  answer(https, seen)
  const grpc = createHttp2()
  grpc.on('stream', (stream, headers) => {
    seen()
    const words = echoes(
      Object.entries(headers)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join('\n'),
    )
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': encodeURIComponent(short(words)) }, { endStream: true }) // prettier-ignore
  })
  const [httpPort, httpsPort, grpcPort] = await Promise.all([http, https, grpc].map((server) => listen(t, server)))
  return { http: httpPort!, https: httpsPort!, grpc: grpcPort!, requests: () => requests }
}

async function listen(t: TestContext, server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

function answer(server: ReturnType<typeof createHttp>, seen: () => void): void {
  const sessions = new WebSocketServer({ noServer: true })
  server.on('request', (request, response) => {
    seen()
    if (request.url === '/sends') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"n":1}\n\n')
      return
    }
    void text(request).then((body) => {
      if (request.url === '/token') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ access_token: newCanary(), token_type: 'Bearer', expires_in: 3600 }))
        return
      }
      const words = wordsOf(request, body)
      const json = JSON.stringify({ __type: 'com.amazonaws.sqs#AccessDenied', error: 'invalid_client', error_description: short(words), message: short(words) }) // prettier-ignore
      response.writeHead(401, {
        'content-type': 'application/json',
        'www-authenticate': `Basic realm="${header(words)}"`,
      })
      response.end(json)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    seen()
    socket.on('error', () => {})
    if (request.url === '/sends') {
      sessions.handleUpgrade(request, socket, head, (client) => client.send('{"n":1}'))
      return
    }
    if (request.url?.startsWith('/session')) {
      sessions.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer) => {
          client.send(JSON.stringify({ event: 'error', message: short(echoes(String(data))) }))
          client.close(1008, short(echoes(String(data))).slice(0, 120))
        })
      })
      return
    }
    refuse(socket, 401, wordsOf(request, ''))
  })
  server.on('connect', (request, socket) => {
    seen()
    socket.on('error', () => {})
    refuse(socket, 407, wordsOf(request, ''))
  })
}

function refuse(socket: { end(text: string): unknown }, status: number, words: readonly string[]): void {
  const body = short(words)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]} ${header(words)}\r\nX-Echo: ${header(words)}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

function wordsOf({ url, rawHeaders }: IncomingMessage, body: string): string[] {
  const credentials = rawHeaders.filter((_, i) => i % 2 === 1).flatMap((value) => value.split(/[\s,]/))
  const words = [...credentials, url ?? '', body].filter((word) => word.length >= 40)
  return words.flatMap(echoes)
}

/** In another order each time, as the client may show only the first 100 characters of it. */
function short(words: readonly string[]): string {
  const start = Math.floor(Math.random() * Math.max(1, words.length))
  return [...words.slice(start), ...words.slice(0, start)].join(' ').slice(0, 8000)
}

function header(words: readonly string[]): string {
  return short(words)
    .replaceAll(/[^\x21-\x7e ]|"/g, '')
    .slice(0, 1000)
}
