import type { SecretLike } from '@tributary/config'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { timingSafeEqual } from 'node:crypto'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { Agent, request } = process.getBuiltinModule('node:http')

/** A client's request, unchanged. */
export interface WriteRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/**
 * The outcome of sending a request to the leader.
 * - `answered`: the leader answered; `body` holds the bytes of the answer
 * - `refused`: nothing listens at the leader's address; nothing was sent
 * - `unreached`: the leader was not reached, or the replica at its address does not lead; nothing was written
 * - `lost`: the leader was reached but did not answer; the write may have happened
 */
export type Forwarded =
  | {
      readonly outcome: 'answered'
      readonly status: number
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
    }
  | { readonly outcome: 'refused' | 'unreached' | 'lost'; readonly reason: string }

/** On a request: another replica sent the request on. On an answer: the answering replica is not the leader. */
const FORWARDED = 'x-tributary-forwarded'
export const NOT_LEADER = 'x-tributary-not-leader'
const KEY = 'x-tributary-key'

/** Hop-by-hop headers (RFC 9110, 7.6.1), and headers that the other side creates anew. */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect'],
  ...['content-length', 'date', FORWARDED, KEY],
]

/** The error code when nothing listens at an address. */
const REFUSED = 'ECONNREFUSED'
const CONNECT_TIMEOUT_MS = 3000

/**
 * Sends requests to the leader unchanged. `Host` is kept, because the leader's answers must name the address that the
 * client knows.
 */
export class LeaderProxy {
  readonly #key: SecretLike | null
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 16 })

  constructor(key: SecretLike | null) {
    this.#key = key
  }

  /**
   * Whether another replica sent the request on. A replica never sends a request on twice. Only the shared key proves
   * that the sender is a replica.
   */
  isForwarded(headers: IncomingHttpHeaders): boolean {
    if (headers[FORWARDED] === undefined) return false
    if (this.#key === null) return true
    const wanted = Buffer.from(this.#key.reveal())
    const given = Buffer.from(String(headers[KEY]))
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }

  /** Sends `write` to `leader` (host:port). The signal ends the wait for the answer. */
  forward(leader: string, write: WriteRequest, signal: AbortSignal): Promise<Forwarded> {
    const { promise, resolve } = Promise.withResolvers<Forwarded>()
    let reached = false
    const failed = (error: NodeJS.ErrnoException): void => {
      const outcome = reached ? 'lost' : error.code === REFUSED ? 'refused' : 'unreached'
      const { message } = error.cause instanceof Error ? error.cause : error
      resolve({ outcome, reason: message || String(error.code) })
    }
    const { hostname, port } = new URL(`http://${leader}`)
    const outgoing = request({
      agent: this.#agent,
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method: write.method,
      path: write.url,
      headers: this.#headers(write),
      signal,
    })
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) {
        reached = true
        return
      }
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS)
      socket.once('connect', () => (reached = true))
      for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer))
    })
    outgoing.on('error', failed)
    outgoing.on('response', (response) => void readAnswer(response).then(resolve, failed))
    outgoing.end(write.body)
    return promise
  }

  close(): void {
    this.#agent.destroy()
  }

  #headers({ headers, body }: WriteRequest): Record<string, string | string[]> {
    return {
      ...passedOn(headers),
      ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      [FORWARDED]: '1',
      ...(this.#key ? { [KEY]: this.#key.reveal() } : {}),
    }
  }
}

/** The headers without the hop-by-hop headers. */
export function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter((header): header is [string, string | string[]] => {
      const [name, value] = header
      return value !== undefined && !HOP_BY_HOP.includes(name)
    }),
  )
}

async function readAnswer(response: IncomingMessage): Promise<Forwarded> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { headers, statusCode: status = 502 } = response
  if (headers[NOT_LEADER] !== undefined) return { outcome: 'unreached', reason: 'it does not lead' }
  return { outcome: 'answered', status, headers, body: Buffer.concat(chunks) }
}
