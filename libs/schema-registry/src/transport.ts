import { once } from 'node:events'
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type * as net from 'node:net'
import { type Address, checkHost, ConfigError, connectTcp, openTunnel, startTls } from '@tributary/connect-api'
import type { ClientSettings } from './keys.ts'
import { readTls } from './tls.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')

/** No answer of a registry is larger. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** Connections of all converters of a process to one registry with the same settings. */
const MAX_SOCKETS = 4
/** Unused connections are closed after this long: schemas are asked for seldom. */
const IDLE_MS = 10_000

export interface HttpRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/** Requests over HTTP/1.1 on connections that are kept, to addresses that the worker allows. */
export class Transport {
  readonly #settings: ClientSettings
  readonly #agent: Agent

  constructor(settings: ClientSettings) {
    this.#settings = settings
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS })
    // One agent for http and https, since `#connect` sets up TLS.
    this.#agent.createConnection = (options, callback) => {
      const { host, port, secure } = options as unknown as Endpoint
      this.#connect({ host, port, secure }).then(
        (socket) => callback?.(null, socket),
        (error: unknown) => callback?.(error as Error, undefined as never),
      )
      return undefined
    }
    const name = this.#agent.getName.bind(this.#agent)
    this.#agent.getName = (options) => `${name(options)}:${String((options as unknown as Endpoint).secure)}`
  }

  /** Resolves whatever the status is. Rejects with the cause, with ConfigError for what the settings refuse. */
  async send({ url, method, headers, body }: HttpRequest): Promise<HttpAnswer> {
    const signal = AbortSignal.timeout(this.#settings['http.read.timeout.ms'])
    const secure = url.protocol === 'https:'
    const options = {
      agent: this.#agent,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      secure,
      method,
      path: url.pathname + url.search,
      headers: {
        ...headers,
        host: url.host,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
      signal,
    }
    const request = http.request(options)
    request.end(body)
    try {
      const response = await answerOf(request, signal)
      const text = await textOf(response)
      // An answer that the end of the connection ends looks whole.
      signal.throwIfAborted()
      return { status: response.statusCode ?? 0, text }
    } catch (error) {
      if (!signal.aborted) throw error
      throw new Error(`no answer within ${this.#settings['http.read.timeout.ms']} ms`, { cause: error })
    }
  }

  async #connect(to: Endpoint): Promise<net.Socket> {
    const timeoutMs = this.#settings['http.connect.timeout.ms']
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const options = to.secure ? await readTls(this.#settings) : {}
      const proxy = this.#settings['proxy.host'] || null
      const tcp = proxy === null ? await connectTcp(to, signal) : await this.#tunnel(proxy, to, signal)
      return to.secure ? await startTls(tcp, to.host, { ...options, ALPNProtocols: ['http/1.1'] }, signal) : tcp
    } catch (error) {
      if (!signal.aborted || error instanceof ConfigError) throw error
      throw new Error(`no connection within ${timeoutMs} ms`, { cause: error })
    }
  }

  async #tunnel(proxy: string, to: Endpoint, signal: AbortSignal): Promise<net.Socket> {
    await checkHost(to.host)
    const tcp = await connectTcp({ host: proxy, port: this.#settings['proxy.port'] }, signal)
    const { statusCode } = await openTunnel(tcp, to, {}, signal)
    if (statusCode !== 200) throw new Error(`the proxy ${proxy} answered CONNECT with ${statusCode}`)
    return tcp
  }
}

interface Endpoint extends Address {
  readonly secure: boolean
}

/**
 * Rejects with the error of the request, or once its signal aborts: for an answer of 101 Node ends the connection, and emits neither the
 * answer nor an error.
 */
async function answerOf(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  // An error may follow that which is awaited; without a listener Node would end the process.
  request.on('error', () => {})
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage]
  return response
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_ANSWER_BYTES) {
      response.destroy()
      throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
