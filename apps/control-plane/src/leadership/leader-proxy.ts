import { type InternalClient, readAll } from '@tributary/service'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { CREDENTIAL_HEADERS } from '../access/credentials.ts'
import { LISTENER, type Listener } from '../http/listener.ts'
import type { Replica } from './replicas.ts'

/** A client's request, unchanged. */
export interface WriteRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Who the client is, as the leader needs it to judge the request again. Absent: nobody was asked. */
  readonly caller?: unknown
  /** The port on which the client sent it; absent: that of Kafka Connect's API. */
  readonly listener?: Listener
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
export const FORWARDED = 'x-tributary-forwarded'
export const NOT_LEADER = 'x-tributary-not-leader'
/** Headers of the cluster's own, which no client may set. */
const OURS = 'x-tributary-'

/** Hop-by-hop headers (RFC 9110, 7.6.1), and headers that the other side creates anew. */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect'],
  ...['content-length', 'date'],
]

const CREDENTIALS = CREDENTIAL_HEADERS.map((name) => name.toLowerCase())

/** The error code when nothing listens at an address. */
const REFUSED = 'ECONNREFUSED'
const CONNECT_TIMEOUT_MS = 3000

/**
 * Sends requests to the leader unchanged. `Host` is kept, because the leader's answers must name the address that the
 * client knows.
 */
export class LeaderProxy {
  readonly #client: Pick<InternalClient, 'open'>

  constructor(client: Pick<InternalClient, 'open'>) {
    this.#client = client
  }

  /** Sends `write` to `leader`. The signal ends the wait for the answer. */
  forward(leader: Replica, write: WriteRequest, signal: AbortSignal): Promise<Forwarded> {
    const { promise, resolve } = Promise.withResolvers<Forwarded>()
    let reached = false
    const failed = (error: NodeJS.ErrnoException): void => {
      const outcome = reached ? 'lost' : error.code === REFUSED ? 'refused' : 'unreached'
      const { message } = error.cause instanceof Error ? error.cause : error
      resolve({ outcome, reason: message || String(error.code) })
    }
    const { method, url: path, headers, body, caller, listener } = write
    const ours = { [FORWARDED]: '1', ...(listener !== undefined && { [LISTENER]: listener }) }
    const sent = { ...forwardedHeaders(headers, caller), ...ours }
    const tls = leader.tls === true
    let outgoing: ClientRequest
    try {
      outgoing = this.#client.open({ address: leader.rest, tls }, { method, path, headers: sent, body, caller }, signal)
    } catch (error) {
      return Promise.resolve({ outcome: 'unreached', reason: (error as Error).message })
    }
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) {
        reached = true
        return
      }
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS)
      // Nothing is sent before the certificate of the other side was found good.
      const connected = tls ? 'secureConnect' : 'connect'
      socket.once(connected, () => (reached = true))
      for (const event of [connected, 'close'] as const) socket.once(event, () => clearTimeout(timer))
    })
    outgoing.on('error', failed)
    outgoing.on('response', (response) => void readAnswer(response).then(resolve, failed))
    return promise
  }
}

/** The client's headers; without its credentials, when the token says who it is. */
function forwardedHeaders(headers: IncomingHttpHeaders, caller: unknown): Record<string, string | string[]> {
  const kept = Object.entries(passedOn(headers)).filter(
    ([name]) => name !== 'cookie' && (caller === undefined || !CREDENTIALS.includes(name)),
  )
  return Object.fromEntries(kept)
}

/** The headers without the hop-by-hop headers, and without those that only processes of the cluster may set. */
export function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter((header): header is [string, string | string[]] => {
      const [name, value] = header
      return value !== undefined && !HOP_BY_HOP.includes(name) && !name.startsWith(OURS)
    }),
  )
}

async function readAnswer(response: IncomingMessage): Promise<Forwarded> {
  const body = await readAll(response)
  const { headers, statusCode: status = 502 } = response
  if (headers[NOT_LEADER] !== undefined) return { outcome: 'unreached', reason: 'it does not lead' }
  return { outcome: 'answered', status, headers, body }
}
