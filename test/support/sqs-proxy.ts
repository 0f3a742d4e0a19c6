import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An error answer in SQS's JSON protocol. */
export interface SqsError {
  readonly status: number
  /** Such as `com.amazonaws.sqs#OverLimit`. */
  readonly type: string
  readonly message: string
}

/** Answers a request itself, or lets it pass by returning undefined. `input` is the request's body, parsed. */
export type SqsFault = (action: string, input: Readonly<Record<string, unknown>>) => SqsError | undefined

/**
 * An HTTP proxy between clients and a server of SQS: counts the requests by their action, answers chosen ones with an error, or
 * holds all of them as if the network were down.
 */
export class SqsProxy {
  /** Action → requests so far, those with an injected error included. */
  readonly calls = new Map<string, number>()
  /** When set, it sees every request. */
  fault: SqsFault | undefined
  readonly #target: string
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  #passing = Promise.resolve()
  #pass: (() => void) | undefined

  private constructor(target: string) {
    this.#target = target
    this.#server = createServer((from, to) => void this.#handle(from, to).catch(() => to.destroy()))
  }

  /** @param target `http://127.0.0.1:port` */
  static async listen(target: string): Promise<SqsProxy> {
    const proxy = new SqsProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  count(action: string): number {
    return this.calls.get(action) ?? 0
  }

  /** Requests wait from now on. */
  hold(): void {
    this.#passing = new Promise((resolve) => (this.#pass = resolve))
  }

  /** The waiting requests go on. */
  release(): void {
    this.#pass?.()
  }

  async close(): Promise<void> {
    this.release()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    this.#agent.destroy()
  }

  async #handle(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of from) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const action = String(from.headers['x-amz-target']).replace('AmazonSQS.', '')
    this.calls.set(action, this.count(action) + 1)
    await this.#passing
    const error = this.fault?.(action, body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {})
    if (error !== undefined) {
      to.writeHead(error.status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${error.type.split('#')[1] ?? error.type};Sender` }) // prettier-ignore
      to.end(JSON.stringify({ __type: error.type, message: error.message }))
      return
    }
    // Queue URLs name the server itself, in requests and in answers.
    const sent = body.toString().replaceAll(this.url, this.#target)
    const headers = { ...from.headers, 'content-length': Buffer.byteLength(sent) }
    const onward = request(`${this.#target}${from.url}`, { method: from.method, headers, agent: this.#agent })
    to.on('close', () => onward.destroy())
    onward.on('error', () => to.destroy())
    onward.on('response', (answer) => void this.#answer(answer, to).catch(() => to.destroy()))
    onward.end(sent)
  }

  async #answer(answer: IncomingMessage, to: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString().replaceAll(this.#target, this.url)
    const { 'transfer-encoding': _, ...headers } = answer.headers
    to.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': Buffer.byteLength(text) })
    to.end(text)
  }
}
