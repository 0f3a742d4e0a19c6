import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An SSE server whose events are numbered from 1. It goes on after Last-Event-ID, and else sends what is new. */
export class SseServer {
  readonly url: string
  /** Events handed to the transport, over all connections. */
  written = 0
  connections = 0
  /** Headers of the last request. */
  lastHeaders: IncomingMessage['headers'] = {}
  /** Answers a request instead of the stream when it returns true. */
  refuse: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  readonly #events: string[] = []
  readonly #open = new Set<ServerResponse>()
  #more = Promise.withResolvers<void>()

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}/events`
  }

  static async start(): Promise<SseServer> {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    probe.close()
    await once(probe, 'close')
    const server = new SseServer(port)
    server.#server.listen(port, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  /** Sends events to all who listen. */
  send(...data: string[]): void {
    this.sendRaw(...data.map((text) => `data: ${text}\n`))
  }

  /** Sends events whose lines are given, each with an id of its own in front. */
  sendRaw(...lines: string[]): void {
    for (const text of lines) this.#events.push(`id: ${this.#events.length + 1}\n${text}\n`)
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  /** Writes a text to all who listen, as it is. */
  push(text: string): void {
    for (const response of this.#open) response.write(text)
  }

  /** Ends every connection, also of requests that `refuse` answered. */
  closeAll(): void {
    this.#server.closeAllConnections()
  }

  cut(): void {
    for (const response of this.#open) response.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.lastHeaders = request.headers
    if (this.refuse(request, response)) return
    this.connections++
    this.#open.add(response)
    const ended = new Promise<void>((resolve) => response.once('close', resolve))
    response.once('close', () => this.#open.delete(response))
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    const after = request.headers['last-event-id']
    for (let next = after === undefined ? this.#events.length : Number(after); this.#open.has(response);) {
      if (next === this.#events.length) {
        await Promise.race([this.#more.promise, ended])
        continue
      }
      const room = response.write(this.#events[next++])
      this.written++
      if (!room) await Promise.race([once(response, 'drain'), ended])
    }
  }
}
