import type { SecretLike } from '@tributary/config'
import type { FieldError } from '@tributary/connect-api'
import type { PluginEntry } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'

/** What finding workers needs of KafkaAdmin. */
export interface GroupReader {
  describeGroup(groupId: string): Promise<{ readonly members: readonly { readonly metadata: unknown }[] }>
}

export interface WorkersOptions {
  readonly groups: GroupReader
  /** `TRIBUTARY_CLUSTER`: a service's group is `<cluster>-<service>`. */
  readonly cluster: string
  /** Shared with the workers; null where none is set. */
  readonly internalKey: SecretLike | null
  readonly log: Logger
  readonly fetch?: typeof fetch
}

const VALIDATE_TIMEOUT_MS = 30_000
const READ_TIMEOUT_MS = 3_000

/**
 * The live workers of a service, found by its Kafka group (nothing else has to be registered), and their internal
 * routes. A worker's address is the host:port of its admin server, which is also the `worker_id` of statuses.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #fetch: typeof fetch

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#fetch = options.fetch ?? fetch
  }

  groupOf(service: string): string {
    return `${this.#options.cluster}-${service}`
  }

  /** Addresses (host:port) of the live workers of `service`. */
  async of(service: string): Promise<string[]> {
    const { members } = await this.#options.groups.describeGroup(this.groupOf(service))
    return members.flatMap(({ metadata }) => workerAddress(metadata) ?? [])
  }

  /**
   * Has one live worker judge what needs the plugin's code; the next one is asked when a worker does not answer.
   * Without an answer the configuration stands as the specs judged it.
   */
  async validate(plugin: PluginEntry, config: Readonly<Record<string, string>>): Promise<FieldError[]> {
    for (const worker of await this.of(plugin.service)) {
      const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/validate`
      const answer = await this.request(worker, 'PUT', path, config, VALIDATE_TIMEOUT_MS)
      if (isValidation(answer)) return answer.errors
      this.#options.log.warn('worker_validation_unanswered', { worker, plugin: plugin.class })
    }
    return []
  }

  /** A worker's answer as JSON; null when it does not answer, or not with 200. */
  async request(
    worker: string,
    method: 'GET' | 'PUT',
    path: string,
    body?: unknown,
    timeoutMs = READ_TIMEOUT_MS,
  ): Promise<unknown> {
    const { internalKey, log } = this.#options
    try {
      const response = await this.#fetch(`http://${worker}${path}`, {
        method,
        headers: {
          ...(internalKey ? { 'x-tributary-key': internalKey.reveal() } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.ok) return await response.json()
      await response.body?.cancel()
      log.warn('worker_refused', { worker, path, status: response.status })
    } catch (error) {
      log.warn('worker_unreachable', { worker, path, error })
    }
    return null
  }
}

/** Members say where they are in their group metadata; one that is no worker of ours has no address. */
function workerAddress(metadata: unknown): string | null {
  const worker = (metadata as { worker?: unknown } | null)?.worker
  return typeof worker === 'string' ? worker : null
}

function isValidation(answer: unknown): answer is { errors: FieldError[] } {
  return Array.isArray((answer as { errors?: unknown } | null)?.errors)
}
