import { ConfigException } from '@tributary/config'
import { advertisedHost, assertBind, hostPort, isLoopback, type Tls } from '@tributary/service'
import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { idleMs } from './http/server.ts'
import { OperatorsListener } from './operators/operators-listener.ts'
import { type ControlPlaneSettings, operatorsAddress } from './settings.ts'

/** Requests still under way after this time, in ms, are cut off. The other parts of the stop need their time, too. */
const CLOSE_TIMEOUT_MS = 1500

/** Opens the ports of the REST API and of the operators' API. */
export class RestListener {
  /** host:port on which the API listens. */
  readonly address: string
  /** host:port at which the other replicas reach the API. */
  readonly advertised: string
  readonly #app: FastifyInstance
  readonly #operators: OperatorsListener | null

  private constructor(app: FastifyInstance, operators: OperatorsListener | null, settings: ControlPlaneSettings) {
    this.#app = app
    this.#operators = operators
    const { port } = app.server.address() as AddressInfo
    this.address = hostPort(settings['rest.host'], port)
    this.advertised = hostPort(
      advertisedHost(settings['rest.host'], settings['rest.advertised.host.name']),
      settings['rest.advertised.port'] ?? port,
    )
  }

  /** host:port of the operators' API; null while it is off. */
  get operators(): string | null {
    return this.#operators?.address ?? null
  }

  /**
   * Throws ConfigException when an address is taken, or when it is open to the network without the setting that allows
   * this.
   */
  static async listen(
    app: FastifyInstance,
    settings: ControlPlaneSettings,
    tls: Tls | null,
    log: Logger,
  ): Promise<RestListener> {
    const { 'rest.host': host, 'rest.port': port } = settings
    const operators = operatorsAddress(settings)
    checkBind(app, 'rest.host', host, settings, log)
    if (operators) checkBind(app, 'operators.host', operators.host, settings, log)
    await listening('rest.port', { host, port }, () => app.listen({ host, port }))
    if (operators === null) return new RestListener(app, null, settings)
    const options = { ...operators, tls, idleMs: idleMs(settings['rest.request.timeout.ms']) }
    try {
      const listener = await listening('operators.port', operators, () => OperatorsListener.listen(app, options))
      return new RestListener(app, listener, settings)
    } catch (error) {
      await app.close()
      throw error
    }
  }

  /** Accepts no more connections, and waits for the requests under way. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), CLOSE_TIMEOUT_MS)
    await Promise.all([this.#operators?.close(CLOSE_TIMEOUT_MS), this.#app.close()])
    clearTimeout(cut)
  }
}

function checkBind(
  app: FastifyInstance,
  key: 'rest.host' | 'operators.host',
  host: string,
  settings: ControlPlaneSettings,
  log: Logger,
): void {
  if (settings['access.authentication'].length === 0) {
    assertBind(key, host, settings['admin.allow.unauthenticated'], log, 'TRIBUTARY_ACCESS_AUTHENTICATION=keys')
  } else if (!isLoopback(host) && !isTls(app)) {
    // As Kafka Connect does it: TLS often ends at a proxy in front.
    const advice =
      'whoever is on the way reads keys, tokens and passwords: turn TLS on here, or end it at a proxy in front'
    log.warn('credentials_without_tls', { key, host, advice })
  }
}

/** Turns an error of `open` into one that names the setting. */
async function listening<T>(
  key: 'rest.port' | 'operators.port',
  { host, port }: { readonly host: string; readonly port: number },
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const variable = `TRIBUTARY_${key.replace('.', '_').toUpperCase()}`
    const off = key === 'operators.port' ? ', or to -1 to do without this API' : ''
    const why = taken ? `the port is taken; set ${variable} to a free one${off}` : (cause as Error).message
    const message = `Invalid value ${port} for configuration ${key}: cannot listen on ${host}: ${why}`
    throw new ConfigException(message, [{ name: key, message }], { cause })
  }
}

function isTls(app: FastifyInstance): boolean {
  return 'setSecureContext' in app.server
}
