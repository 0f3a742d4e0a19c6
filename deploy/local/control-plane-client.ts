import { setTimeout as sleep } from 'node:timers/promises'
import { LaunchError } from './errors.ts'

/** The fields of `GET /connectors/{c}/health` that the launcher shows. */
export interface ConnectorHealth {
  readonly state: string
  readonly connected: boolean
  readonly stalled: boolean
  readonly records_total: number
  /** Records a second. */
  readonly rate: number
  /** Records that were received and that Kafka has not acknowledged yet. */
  readonly lag: number
  readonly reason: string
  readonly tasks: readonly { readonly latency_ms: number }[]
}

/** The calls that the launcher makes to the control plane's REST API. */
export class ControlPlaneClient {
  /** `http://127.0.0.1:8083` */
  readonly url: string

  constructor(url: string) {
    this.url = url
  }

  /** @returns the classes of all plugins; an empty list while the control plane does not answer. */
  async plugins(): Promise<string[]> {
    const plugins = (await this.#get('/connector-plugins')) as { class: string }[] | undefined
    return plugins?.map((plugin) => plugin.class) ?? []
  }

  /** @returns the connector's health, or a sentence that says why there is none. */
  async health(connector: string): Promise<ConnectorHealth | string> {
    try {
      const response = await fetch(`${this.url}/connectors/${connector}/health`, { signal: AbortSignal.timeout(5000) })
      const body = await response.json()
      return response.ok ? (body as ConnectorHealth) : (body as { message: string }).message
    } catch {
      return 'the control plane does not answer'
    }
  }

  /**
   * Creates a connector, or gives an existing one this config. While the control plane is busy (409) or not ready (5xx), the
   * call is tried again for `timeoutMs`. Throws LaunchError with the control plane's answer when that refuses the config.
   */
  async putConnector(
    name: string,
    config: Readonly<Record<string, string>>,
    timeoutMs = 30_000,
  ): Promise<'created' | 'found' | 'changed'> {
    const path = `/connectors/${name}/config`
    const before = (await this.#get(path)) as Record<string, string> | undefined
    for (const deadline = Date.now() + timeoutMs; ; await sleep(250)) {
      const response = await fetch(this.url + path, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(config),
      })
      const text = await response.text()
      if (response.status === 201) return 'created'
      if (response.ok) return Object.keys(config).every((key) => config[key] === before?.[key]) ? 'found' : 'changed'
      const busy = response.status === 409 || response.status >= 500
      if (!busy || Date.now() > deadline) {
        throw new LaunchError(`The connector ${name} was refused (${response.status}): ${text}`)
      }
    }
  }

  async #get(path: string): Promise<unknown> {
    try {
      const response = await fetch(this.url + path, { signal: AbortSignal.timeout(5000) })
      return response.ok ? await response.json() : undefined
    } catch {
      return undefined // The control plane is starting, or starting again.
    }
  }
}
