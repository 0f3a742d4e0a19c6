import { ConfigException } from '@tributary/config'
import { advertisedHost, assertBind, hostPort, isLoopback } from '@tributary/service'
import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { ControlPlaneSettings } from './settings.ts'

/** Requests still under way after this time, in ms, are cut off. The other parts of the stop need their time, too. */
const CLOSE_TIMEOUT_MS = 1500

/** Opens the REST API's port. */
export class RestListener {
  /** host:port on which the API listens. */
  readonly address: string
  /** host:port at which the other replicas reach the API. */
  readonly advertised: string
  readonly #app: FastifyInstance

  private constructor(app: FastifyInstance, settings: ControlPlaneSettings) {
    this.#app = app
    const { port } = app.server.address() as AddressInfo
    this.address = hostPort(settings['rest.host'], port)
    this.advertised = hostPort(
      advertisedHost(settings['rest.host'], settings['rest.advertised.host.name']),
      settings['rest.advertised.port'] ?? port,
    )
  }

  /**
   * Throws ConfigException when the address is taken, or when it is open to the network without the setting that allows
   * this.
   */
  static async listen(app: FastifyInstance, settings: ControlPlaneSettings, log: Logger): Promise<RestListener> {
    const { 'rest.host': host, 'rest.port': port } = settings
    const authentication = settings['access.authentication']
    if (authentication.length === 0) {
      assertBind(
        'rest.host',
        host,
        settings['admin.allow.unauthenticated'],
        log,
        'TRIBUTARY_ACCESS_AUTHENTICATION=keys',
      )
    } else if (!isLoopback(host) && !isTls(app)) {
      // As Kafka Connect does it: TLS often ends at a proxy in front.
      const advice =
        'whoever is on the way reads keys, tokens and passwords: turn TLS on here, or end it at a proxy in front'
      log.warn('credentials_without_tls', { key: 'rest.host', host, advice })
    }
    try {
      await app.listen({ host, port })
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      const why = taken ? 'the port is taken; set TRIBUTARY_REST_PORT to a free one' : (cause as Error).message
      const message = `Invalid value ${port} for configuration rest.port: cannot listen on ${host}: ${why}`
      throw new ConfigException(message, [{ name: 'rest.port', message }], { cause })
    }
    return new RestListener(app, settings)
  }

  /** Accepts no more connections, and waits for the requests under way. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), CLOSE_TIMEOUT_MS)
    await this.#app.close()
    clearTimeout(cut)
  }
}

function isTls(app: FastifyInstance): boolean {
  return 'setSecureContext' in app.server
}
