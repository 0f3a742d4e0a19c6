import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'

/** Times within which a client must send a request, in ms. */
export interface ReceiveTimeouts {
  /** From the start of a connection, or the first byte of a request, to the end of its headers. */
  readonly headersMs: number
  /** To the end of its body. */
  readonly requestMs: number
}

export const RECEIVE_TIMEOUTS: ReceiveTimeouts = { headersMs: 10_000, requestMs: 30_000 }

/** A connection takes some KiB. Node accepts any number, until the process has no more file descriptors. */
const MAX_CONNECTIONS = 2000
/** Requests that are being answered. A client may send any number on one connection (pipelining), and wait for no answer. */
const MAX_UNDER_WAY = 1000
const IDLE_MS = 120_000
/** How long the rest of a body is read after the answer, in ms. A connection that is closed at once may lose the answer. */
const LINGER_MS = 1000

/** Options of Node's HTTP servers. Beyond the times the client gets 408 (RFC 9110, 15.5.9) and the connection is closed. */
export function receiveLimits({ headersMs, requestMs }: ReceiveTimeouts = RECEIVE_TIMEOUTS) {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.ceil(headersMs / 5),
  }
}

export interface ConnectionLimits {
  readonly maxUnderWay?: number
  /** A connection on which nothing moves for so long is closed: its client reads no answer. Longer than any answer takes. */
  readonly idleMs?: number
}

/** Limits the connections of a server. See ConnectionLimits for `idleMs`. */
export function limitServer(server: Pick<Server, 'maxConnections' | 'setTimeout'>, idleMs: number): void {
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(idleMs)
}

/**
 * Limits connections and requests under way, and closes a connection whose request was answered but does not end.
 * A request above the limit is answered with 503.
 */
export function limitConnections(app: FastifyInstance, limits: ConnectionLimits = {}): void {
  const { maxUnderWay = MAX_UNDER_WAY, idleMs = IDLE_MS } = limits
  limitServer(app.server, idleMs)
  let underWay = 0
  app.addHook('onRequest', async (request, reply) => {
    underWay++
    const { raw } = request
    reply.raw.once('close', () => {
      underWay--
      if (!raw.complete) setTimeout(() => raw.complete || raw.destroy(), LINGER_MS).unref()
    })
    if (underWay <= maxUnderWay) return
    const message = `More than ${maxUnderWay} requests are under way. Send this one again in a second.`
    return reply.code(503).header('retry-after', '1').send({ error_code: 503, message })
  })
}
