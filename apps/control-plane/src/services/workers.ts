import { type SecretLike, stringifyJson } from '@tributary/config'
import type { FieldError, OffsetEntry, TaskHealth } from '@tributary/connect-api'
import type { PluginEntry } from '@tributary/connect-storage'
import { SharedRun } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import { restError } from '../http/rest-errors.ts'

/** What finding workers needs of KafkaAdmin. */
export interface GroupReader {
  describeGroup(
    groupId: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly members: readonly { readonly metadata: unknown }[] }>
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
/** Kafka may be away for long, and workers live on: who asks for them does not wait for it. */
const GROUP_TIMEOUT_MS = 2_000
/** A group that takes in new work has rounds all the time, in which Kafka does not tell who is in it. */
const FRESH_MS = 2_000

/**
 * The live workers of a service, found by its Kafka group (nothing else has to be registered), and their internal
 * routes. A worker's address is the host:port of its admin server, which is also the `worker_id` of statuses.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #fetch: typeof fetch
  /** By service; `at` in ms, monotonic. */
  readonly #lastKnown = new Map<string, { readonly addresses: readonly string[]; readonly at: number }>()
  readonly #descriptions = new Map<string, SharedRun<Awaited<ReturnType<GroupReader['describeGroup']>>>>()

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#fetch = options.fetch ?? fetch
  }

  groupOf(service: string): string {
    return `${this.#options.cluster}-${service}`
  }

  /** Addresses (host:port) of the live workers of `service`; the last known ones while Kafka does not tell. */
  async of(service: string, maxAgeMs = 0): Promise<readonly string[]> {
    const known = this.#lastKnown.get(service)
    if (known && known.addresses.length > 0 && performance.now() - known.at < maxAgeMs) return known.addresses
    try {
      const addresses = await this.members(service)
      if (addresses) this.#lastKnown.set(service, { addresses, at: performance.now() })
    } catch (error) {
      this.#options.log.warn('workers_unknown', { service, error })
    }
    return this.#lastKnown.get(service)?.addresses ?? []
  }

  /** As Kafka knows them now; null while the group rebalances and Kafka does not tell who its members are. */
  async members(service: string): Promise<readonly string[] | null> {
    const { members } = await this.#describe(this.groupOf(service))
    const addresses = members.map(({ metadata }) => workerAddress(metadata))
    return addresses.includes(null) ? null : addresses.filter((address) => address !== null)
  }

  /**
   * Has one live worker judge what needs the plugin's code; the next one is asked when a worker does not answer.
   * Without an answer the configuration stands as the specs judged it.
   */
  async validate(plugin: PluginEntry, config: Readonly<Record<string, string>>): Promise<FieldError[]> {
    for (const worker of await this.of(plugin.service, FRESH_MS)) {
      const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/validate`
      const answer = await this.request(worker, 'PUT', path, config, VALIDATE_TIMEOUT_MS)
      if (isValidation(answer)) return answer.errors
      this.#options.log.warn('worker_validation_unanswered', { worker, plugin: plugin.class })
    }
    return []
  }

  /**
   * Has one live worker judge offsets before they are written; `complete`: its plugin keeps none elsewhere. Without a
   * live worker they stand as they are, and a task that cannot go on from them will say so.
   */
  async checkOffsets(
    plugin: PluginEntry,
    config: Readonly<Record<string, string>>,
    offsets: readonly OffsetEntry[],
  ): Promise<{ readonly errors: readonly FieldError[]; readonly complete: boolean }> {
    const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/offsets/check`
    const workers = await this.of(plugin.service)
    for (const worker of workers) {
      const answer = await this.request(worker, 'PUT', path, { config, offsets }, VALIDATE_TIMEOUT_MS)
      if (isValidation(answer)) return { errors: answer.errors, complete: answer.complete === true }
    }
    if (workers.length > 0) throw restError('workersSilent', plugin.service)
    return { errors: [], complete: false }
  }

  /** The tasks of a connector that a worker has, those that are still ending included; null when it does not answer. */
  async tasksOf(worker: string, connector: string): Promise<readonly TaskHealth[] | null> {
    const answer = await this.request(worker, 'GET', `/internal/connectors/${encodeURIComponent(connector)}/health`)
    const tasks = (answer as { tasks?: unknown } | null)?.tasks
    return Array.isArray(tasks) ? (tasks as TaskHealth[]) : null
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
        ...(body === undefined ? {} : { body: stringifyJson(body) }),
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

  /** Requests that come together ask Kafka once: its answer grows with the number of tasks. */
  #describe(group: string): ReturnType<GroupReader['describeGroup']> {
    let asking = this.#descriptions.get(group)
    if (!asking) {
      asking = new SharedRun(() =>
        this.#options.groups.describeGroup(group, { signal: AbortSignal.timeout(GROUP_TIMEOUT_MS) }),
      )
      this.#descriptions.set(group, asking)
    }
    return asking.ask()
  }
}

/** Members say where they are in their group metadata; one that is no worker of ours has no address. */
function workerAddress(metadata: unknown): string | null {
  const worker = (metadata as { worker?: unknown } | null)?.worker
  return typeof worker === 'string' ? worker : null
}

function isValidation(answer: unknown): answer is { errors: FieldError[]; complete?: boolean } {
  return Array.isArray((answer as { errors?: unknown } | null)?.errors)
}
