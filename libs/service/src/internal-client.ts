import { isIP } from 'node:net'
import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import { INTERNAL_TOKEN, type InternalTokens } from './internal-token.ts'

// As in admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')
const https = process.getBuiltinModule('node:https')

/** Another process of the cluster, as its group knows it. */
export interface Peer {
  /** host:port */
  readonly address: string
  readonly tls: boolean
}

export interface InternalRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** '': none. */
  readonly body?: string
  /** On whose behalf, as JSON. */
  readonly caller?: unknown
}

export interface InternalAnswer {
  readonly status: number
  readonly body: Buffer
}

export interface InternalClientOptions {
  /** null: requests are not signed. */
  readonly tokens: InternalTokens | null
  /** The certificates for https, as they are now: `ca` null is Node's own list; cert and key are this process's. */
  readonly tls?: (() => SecureContextOptions) | undefined
  /** How this process calls itself in its tokens. */
  readonly from: () => string
}

/** An answer above this is cut off: the list of a worker's tasks has about 500 bytes a task. */
const MAX_ANSWER_BYTES = 32 << 20
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

/** Sends signed requests to other processes of the cluster. */
export class InternalClient {
  readonly #options: InternalClientOptions
  readonly #plain = new http.Agent({ keepAlive: true, maxFreeSockets: 16 })
  readonly #secure = new https.Agent({ keepAlive: true, maxFreeSockets: 16 })

  constructor(options: InternalClientOptions) {
    this.#options = options
  }

  /** Starts a request on a kept connection; the caller listens to it. Throws for an address that is not host:port. */
  open(peer: Peer, request: InternalRequest, signal: AbortSignal): ClientRequest {
    return this.#open(peer, request, signal, peer.tls ? this.#secure : this.#plain)
  }

  #open(
    { address, tls }: Peer,
    request: InternalRequest,
    signal: AbortSignal,
    agent: HttpAgent | false,
  ): ClientRequest {
    const { method, path, headers = {}, body = '', caller } = request
    const [, host = '', port] = ADDRESS.exec(address) ?? []
    if (host === '') throw new Error(`${JSON.stringify(address)} is not host:port`)
    const { tokens, from } = this.#options
    const token = tokens?.sign(
      { method, path },
      { from: from(), to: address, ...(caller !== undefined && { caller }) },
      body,
    )
    const hostname = host.replace(/^\[|\]$/g, '')
    const options = {
      ...{ host: hostname, port, method, path, signal, agent },
      headers: {
        ...headers,
        ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
        ...(token !== undefined && { [INTERNAL_TOKEN]: token }),
      },
    }
    // Without a server name Node would take the one of the header Host, which is the client's on a request sent on.
    const outgoing = tls
      ? https.request({
          ...options,
          ...this.#options.tls?.(),
          servername: isIP(hostname) ? '' : hostname,
        })
      : http.request(options)
    outgoing.end(body)
    return outgoing
  }

  /**
   * Sends a request on a connection of its own and reads the answer. Rejects when no whole answer comes: with ECONNREFUSED
   * nobody has got the request, and a connection that ends early has ended with the process on the other side.
   */
  send(peer: Peer, request: InternalRequest, signal: AbortSignal): Promise<InternalAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<InternalAnswer>()
    const outgoing = this.#open(peer, request, signal, false)
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      readAll(response).then((body) => resolve({ status: response.statusCode ?? 502, body }), reject)
    })
    return promise
  }

  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }
}

/** The body of an answer. Rejects, and ends the connection, above 32 MiB. */
export async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
