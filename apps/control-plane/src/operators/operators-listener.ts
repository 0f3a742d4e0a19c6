import { hostPort, limitServer, receiveLimits, type Tls } from '@tributary/service'
import type { FastifyInstance } from 'fastify'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { answerUnparsed } from '../http/error-handler.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { createServer } = process.getBuiltinModule('node:http')
const { createServer: createSecureServer } = process.getBuiltinModule('node:https')

export interface OperatorsListenerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Null, or without a certificate of its own: http. */
  readonly tls: Tls | null
  /** A connection on which nothing moves for so long, in ms, is closed. */
  readonly idleMs: number
}

/** The operators' port. Its requests go the way of those on the REST API's port, and are marked as the operators'. */
export class OperatorsListener {
  /** host:port on which the API listens. */
  readonly address: string
  readonly #server: Server

  private constructor(server: Server, host: string) {
    this.#server = server
    this.address = hostPort(host, (server.address() as AddressInfo).port)
  }

  /** Rejects with Node's error when the address is taken. */
  static async listen(app: FastifyInstance, options: OperatorsListenerOptions): Promise<OperatorsListener> {
    const { host, port, tls, idleMs } = options
    await app.ready()
    const route: RequestListener = (request, response) => {
      markOperators(request)
      // While the server closes, a connection that is kept for the next request would hold it up.
      response.once('close', () => server.listening || server.closeIdleConnections())
      app.routing(request, response)
    }
    const server: Server = tls?.serves
      ? createSecureServer({ ...receiveLimits(), ...tls.serverOptions() }, route)
      : createServer(receiveLimits(), route)
    if (tls?.serves) tls.follow(server as SecureServer)
    // As fastify sets it for the other port: longer than the idle time of most proxies.
    server.keepAliveTimeout = app.server.keepAliveTimeout
    server.on('clientError', (error, socket) => answerUnparsed(error, socket as Socket, true))
    limitServer(server, idleMs)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    return new OperatorsListener(server, host)
  }

  /** Accepts no more connections, and waits for the requests under way. */
  async close(cutAfterMs: number): Promise<void> {
    const cut = setTimeout(() => this.#server.closeAllConnections(), cutAfterMs)
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    clearTimeout(cut)
  }
}

function markOperators(request: IncomingMessage): void {
  request.tributaryListener = 'operators'
}
