import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { WebSocketServer, type WebSocket } from 'ws'
import { type CommandLine, pythonPackages, startChild, temporaryFolder } from '@tributary/harness'
import { until } from '../../../support/until.ts'

const run = promisify(execFile)
const fixture = (path: string): string => new URL(`../../../fixtures/${path}`, import.meta.url).pathname
const cache = new URL('../../../../.tributary/cache/', import.meta.url).pathname

/** A WebSocket server with the routes of test/fixtures/ws-gorilla/README.md. */
export interface OtherServer {
  readonly port: number
  stop(): Promise<void>
}

/** Python's `websockets`. */
export async function startPythonServer(): Promise<OtherServer> {
  const packages = await pythonPackages(fixture('ws-websockets/websockets.txt'))
  return startProgram(packages.program(fixture('ws-websockets/server.py'), []))
}

/** Go's `github.com/gorilla/websocket`. */
export async function startGoServer(): Promise<OtherServer> {
  return startProgram({ command: await builtGoServer(), args: [] })
}

/** The server is built once for its sources, and kept with the other fetched components. */
async function builtGoServer(): Promise<string> {
  const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => readFile(fixture(`ws-gorilla/${name}`)))
  const digest = (await Promise.all(sources)).reduce((hash, text) => hash.update(text), createHash('sha256'))
  const kept = join(cache, `ws-gorilla-${digest.digest('hex').slice(0, 12)}`)
  if (existsSync(kept)) return kept
  await mkdir(cache, { recursive: true })
  const made = `${kept}.${process.pid}`
  try {
    await run('go', ['build', '-o', made, '.'], { cwd: fixture('ws-gorilla') })
  } catch (cause) {
    throw new Error('Go 1.22 or newer is needed to build test/fixtures/ws-gorilla, and `go build` failed', { cause })
  }
  await rename(made, kept)
  return kept
}

async function startProgram({
  command,
  args,
  env,
}: Pick<CommandLine, 'command' | 'args' | 'env'>): Promise<OtherServer> {
  const folder = temporaryFolder('ws-server-')
  const logFile = join(folder, 'server.log')
  const child = await startChild({ command, args, logFile, holdStdin: true, ...(env ? { env } : {}) })
  const port = await until(`the port of ${command}`, async () => {
    const log = await readFile(logFile, 'utf8')
    if (child.exit) throw new Error(`${command} ended: ${log}`)
    return /^(\d+)\n/.exec(log)?.[1]
  })
  return {
    port: Number(port),
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
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
