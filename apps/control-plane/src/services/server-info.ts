import type { ConfigStore } from '@tributary/connect-storage'

export interface ServerInfo {
  readonly version: string
  readonly commit: string
  readonly kafka_cluster_id: string
}

export interface Health {
  readonly status: 'healthy' | 'unhealthy'
  readonly message: string
}

export interface ServerOptions {
  readonly config: ConfigStore
  /** Resolves with true as soon as writes are possible, or with the reason why they are not after `timeoutMs`. */
  readonly writable: (timeoutMs: number) => Promise<true | string>
  /** Why an internal topic cannot be written, in a sentence; null while all can be. */
  readonly trouble: () => string | null
  /** Why changed TLS files are not in use, in a sentence; null while there are none. */
  readonly tlsTrouble: () => string | null
  readonly kafkaClusterId: string
  readonly version: string
}

/** Kafka Connect's sentence. */
const READY = 'Worker has completed startup and is ready to handle requests.'
const HEALTH_TIMEOUT_MS = 10_000

/**
 * The version of Kafka Connect whose API this is. Clients decide by it what they may call: kcctl parses the version as
 * X.Y and wants 3.7 or more for cluster-wide log levels.
 */
const CONNECT_VERSION = '3.9.1'

export class Server {
  readonly #options: ServerOptions

  constructor(options: ServerOptions) {
    this.#options = options
  }

  info(): ServerInfo {
    const { kafkaClusterId, version } = this.#options
    return { version: CONNECT_VERSION, commit: `tributary-${version}`, kafka_cluster_id: kafkaClusterId }
  }

  /** Healthy when the config topic can be written and read to its end. Without reading it no answer would be true. */
  async health(): Promise<Health> {
    // An election takes less time than this, and must not take the replica out of service.
    const writable = await this.#options.writable(HEALTH_TIMEOUT_MS)
    if (writable !== true) return { status: 'unhealthy', message: writable }
    const trouble = this.#options.trouble()
    if (trouble !== null) return { status: 'unhealthy', message: trouble }
    try {
      await this.#options.config.refresh(AbortSignal.timeout(HEALTH_TIMEOUT_MS))
      return { status: 'healthy', message: this.#options.tlsTrouble() ?? READY }
    } catch (error) {
      return { status: 'unhealthy', message: `The config topic cannot be read: ${(error as Error).message}` }
    }
  }
}
