import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { pythonPackages } from '@tributary/harness'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../../support/foreign-server.ts'

const fixture = (path: string): string => new URL(`../../../fixtures/${path}`, import.meta.url).pathname

/** A WebSocket server with the routes of test/fixtures/ws-gorilla/README.md. */
export type OtherServer = Pick<ForeignServer, 'port' | 'stop'>

/** Python's `websockets`. */
export async function startPythonServer(): Promise<OtherServer> {
  const packages = await pythonPackages(fixture('ws-websockets/websockets.txt'))
  return startForeignServer(packages.program(fixture('ws-websockets/server.py'), []))
}

/** Go's `github.com/gorilla/websocket`. */
export async function startGoServer(): Promise<OtherServer> {
  return startForeignServer({ command: await builtGoProgram('ws-gorilla'), args: [] })
}

/** The `ws` package. */
export async function startWsServer(): Promise<OtherServer> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: true,
    handleProtocols: (offered) => ['feed.v2', 'feed.v1'].find((name) => offered.has(name)) ?? false,
    verifyClient: ({ req }, answer) => (req.url === '/deny' ? answer(false, 401, 'no such key') : answer(true)),
  })
  server.on('connection', (socket, request) => {
    const url = new URL(request.url ?? '/', 'ws://localhost')
    const count = Number(url.searchParams.get('count') ?? 0)
    switch (url.pathname) {
      case '/feed':
        feed(socket, count)
        socket.close(4000, 'that was all')
        break
      case '/cut':
        feed(socket, count)
        request.socket.end()
        break
      case '/ping':
        ping(socket)
        break
      case '/close': {
        const close = (): void => socket.close(Number(url.searchParams.get('code')), 'enough')
        if (url.searchParams.has('reply')) socket.once('message', () => socket.send('ok', close))
        else close()
        break
      }
      case '/request': {
        const headers = Object.entries(request.headersDistinct).map(([name, values]) => [titled(name), values])
        socket.send(JSON.stringify({ query: url.search.slice(1), headers: Object.fromEntries(headers) as unknown }))
        break
      }
      default:
        socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }))
    }
  })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

function feed(socket: WebSocket, count: number): void {
  for (let i = 1; i <= count; i++) {
    const text = `message ${i}`
    if (i % 100 === 0) {
      socket.send(text, { fin: false })
      socket.send('.'.repeat(50_000), { fin: false })
      socket.send('.'.repeat(50_000))
    } else if (i % 10 === 0) {
      socket.send(Buffer.from(text))
    } else {
      socket.send(text)
    }
  }
}

function ping(socket: WebSocket): void {
  const pongs: string[] = []
  socket.on('pong', (data) => {
    if (pongs.push(data.toString()) < 3) return
    socket.send(pongs.join(','))
    socket.close(1000)
  })
  for (const data of ['a', 'b', 'c']) socket.ping(data)
}

function titled(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())
}
