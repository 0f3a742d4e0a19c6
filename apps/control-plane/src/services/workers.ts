import { parseJson, stringifyJson } from '@tributary/config'
import type { FieldError, OffsetEntry, TaskHealth } from '@tributary/connect-api'
import { isWorkerAddress, type PluginEntry } from '@tributary/connect-storage'
import { SharedRun } from '@tributary/kafka'
import type { InternalClient, Peer } from '@tributary/service'
import type { Logger } from '@tributary/telemetry'
import type { IncomingMessage } from 'node:http'
import { restError } from '../http/rest-errors.ts'
import { type Checked, DeadlyConfigs, keyOf, MAX_DEATHS } from './deadly-configs.ts'

/** The part of KafkaAdmin that finds workers. */
export interface GroupReader {
  describeGroup(
    groupId: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly members: readonly { readonly metadata: unknown }[] }>
}

export interface WorkersOptions {
  readonly groups: GroupReader
  /** `TRIBUTARY_CLUSTER`. The group of a service is `<cluster>-<service>`. */
  readonly cluster: string
  /** Sends the signed requests. */
  readonly client: Pick<InternalClient, 'send' | 'open'>
  readonly log: Logger
}

const VALIDATE_TIMEOUT_MS = 30_000
const READ_TIMEOUT_MS = 3_000
/** Kafka may be away for long while workers live on, so a request for them does not wait long. */
const GROUP_TIMEOUT_MS = 2_000
/**
 * How long a known list of members counts as current, in ms. A group that takes in new work rebalances all the time,
 * and Kafka does not list the members of a rebalancing group.
 */
const FRESH_MS = 2_000

/** What a task would do with a configuration; see libs/connect-runtime/src/worker/plan-connector.ts. */
export interface PlannedTask {
  readonly task: number
  readonly action: 'nothing' | 'start' | 'stop' | 'restart' | 'hand-over'
  readonly why: string
  /** The task runs on the worker that says so. */
  readonly here: boolean
}

interface Planned {
  readonly tasks: readonly PlannedTask[]
  readonly errors: readonly FieldError[]
}

interface RequestOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the error when no answer came. */
  readonly onError?: (error: unknown) => void
}

/**
 * The live workers of a service, and their internal routes. The workers are found by the service's Kafka group, so
 * nothing has to be registered. A worker's address is the host:port of its admin server, which is also the `worker_id`
 * of statuses.
 */
export class Workers {
  readonly #options: WorkersOptions
  /** The last known members of each service. `at` is in ms, monotonic. */
  readonly #lastKnown = new Map<string, { readonly addresses: readonly string[]; readonly at: number }>()
  /** Addresses of members that answer by https. */
  readonly #secure = new Set<string>()
  readonly #deadly = new DeadlyConfigs()
  readonly #descriptions = new Map<string, SharedRun<Awaited<ReturnType<GroupReader['describeGroup']>>>>()

  constructor(options: WorkersOptions) {
    this.#options = options
  }

  groupOf(service: string): string {
    return `${this.#options.cluster}-${service}`
  }

  /**
   * Addresses (host:port) of the live workers of `service`. While Kafka does not list them, the last known addresses
   * are returned.
   */
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

  /**
   * The current members of the group; null while the group rebalances, because Kafka does not list its members then.
   */
  async members(service: string): Promise<readonly string[] | null> {
    const { members } = await this.#describe(this.groupOf(service))
    if (members.some(({ metadata }) => metadata === null)) return null
    return members.flatMap(({ metadata }) => {
      const peer = workerPeer(metadata)
      if (peer === null) return []
      if (peer.tls) this.#secure.add(peer.address)
      else this.#secure.delete(peer.address)
      return peer.address
    })
  }

  /**
   * Which of these addresses belong to live workers of `service`. Whoever can write a status record can name any address in
   * it, so no other address is ever asked.
   */
  async membersAmong(service: string, addresses: readonly string[]): Promise<ReadonlySet<string>> {
    const known = await this.of(service, FRESH_MS)
    const current = addresses.every((address) => known.includes(address)) ? known : await this.of(service)
    return new Set(addresses.filter((address) => current.includes(address)))
  }

  /**
   * Lets one live worker check the part of a configuration that needs the plugin's code. A worker that cannot be reached, or
   * refuses, is passed over. One that ends or hangs during the check is not: the next one would fare the same, so the answer is
   * an error. Without any worker the judgement of the specs stands. `signal`: the client has gone.
   */
  async validate(
    plugin: PluginEntry,
    config: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<FieldError[]> {
    const check = (): Promise<Checked<FieldError[]>> => this.#validate(plugin, config, signal)
    return (await this.#deadly.run(keyOf(plugin.class, config), check)) ?? checkError(REFUSED)
  }

  async #validate(
    plugin: PluginEntry,
    config: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Checked<FieldError[]>> {
    const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/validate`
    for (const worker of await this.of(plugin.service, FRESH_MS)) {
      let failure: unknown = null
      const options = { signal, onError: (error: unknown) => (failure = error) }
      const answer = await this.request(worker, 'PUT', path, config, VALIDATE_TIMEOUT_MS, options)
      if (isValidation(answer)) return { value: answer.errors, died: false }
      this.#options.log.warn('worker_validation_unanswered', { worker, plugin: plugin.class })
      signal?.throwIfAborted()
      const how = cutOff(failure)
      if (how !== null)
        return { value: checkError(how === 'ended' ? ended(worker) : silent(worker)), died: how === 'ended' }
    }
    return { value: [], died: false }
  }

  /**
   * Lets one live worker make a preview. A worker that cannot be reached, or refuses, is passed over. `null`: there is none that
   * answers. One that ends or hangs meanwhile is not passed over, as the next one would fare the same.
   */
  async preview(
    plugin: PluginEntry,
    body: object,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly answer: unknown } | { readonly how: 'ended' | 'silent'; readonly worker: string } | null> {
    const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/preview`
    const workers = await this.of(plugin.service, FRESH_MS)
    let busy: unknown = null
    for (const worker of shuffled(workers)) {
      let failure: unknown = null
      const options = { signal, onError: (error: unknown) => (failure = error) }
      const answer = await this.request(worker, 'PUT', path, body, timeoutMs, options)
      signal.throwIfAborted()
      if ((answer as { failed?: unknown } | null)?.failed === 'busy') busy = answer
      else if (answer !== null) return { answer }
      const how = cutOff(failure)
      if (how !== null) return { how, worker }
    }
    return busy === null ? null : { answer: busy }
  }

  /**
   * What `owners`, as far as they are live workers, say that a connector's tasks would do with a configuration; or what another worker
   * says, if none of them is. [] when no worker answers. A worker that ends meanwhile is the last one that is asked.
   */
  async plan(
    plugin: PluginEntry,
    body: { readonly connector: string; readonly config: Readonly<Record<string, string>> },
    owners: readonly string[],
  ): Promise<readonly Planned[]> {
    const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/plan`
    const live = await this.of(plugin.service, FRESH_MS)
    const asked = owners.filter((owner) => live.includes(owner))
    const answers: Planned[] = []
    for (const worker of [...asked, ...live.filter((each) => !asked.includes(each))]) {
      if (answers.length > 0 && !asked.includes(worker)) break
      let failure: unknown = null
      const options = { onError: (error: unknown) => (failure = error) }
      const answer = await this.request(worker, 'PUT', path, body, VALIDATE_TIMEOUT_MS, options)
      if (isPlanned(answer)) answers.push(answer)
      else if (cutOff(failure) !== null) break
    }
    return answers
  }

  /**
   * Lets one live worker check offsets before they are written. `complete` means that the plugin keeps no offsets
   * outside the offsets topic. Without a live worker the offsets are accepted unchecked, and a task that cannot
   * continue from them reports that.
   */
  async checkOffsets(
    plugin: PluginEntry,
    config: Readonly<Record<string, string>>,
    offsets: readonly OffsetEntry[],
  ): Promise<{ readonly errors: readonly FieldError[]; readonly complete: boolean }> {
    const path = `/internal/plugins/${encodeURIComponent(plugin.class)}/offsets/check`
    const workers = await this.of(plugin.service)
    for (const worker of workers) {
      let failure: unknown = null
      const options = { onError: (error: unknown) => (failure = error) }
      const answer = await this.request(worker, 'PUT', path, { config, offsets }, VALIDATE_TIMEOUT_MS, options)
      if (isValidation(answer)) return { errors: answer.errors, complete: answer.complete === true }
      // As for `validate`: the next worker would fare the same.
      if (cutOff(failure) !== null) break
    }
    if (workers.length > 0) throw restError('workersSilent', plugin.service)
    return { errors: [], complete: false }
  }

  /**
   * The tasks of a connector that a worker has, including tasks that are still ending; null when the worker does not
   * answer.
   */
  async tasksOf(worker: string, connector: string): Promise<readonly TaskHealth[] | null> {
    const answer = await this.request(worker, 'GET', `/internal/connectors/${encodeURIComponent(connector)}/health`)
    const tasks = (answer as { tasks?: unknown } | null)?.tasks
    return Array.isArray(tasks) ? (tasks as TaskHealth[]) : null
  }

  /** A worker's answer to a PUT with its status; the body is null if it is no JSON. null: no answer came. */
  async ask(
    worker: string,
    path: string,
    body: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: unknown } | null> {
    try {
      const { status, body: answer } = await this.#options.client.send(
        { address: worker, tls: this.#secure.has(worker) },
        { method: 'PUT', path, headers: { 'content-type': 'application/json' }, body },
        AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]),
      )
      return { status, body: jsonOrNull(answer) }
    } catch (error) {
      signal.throwIfAborted()
      this.#options.log.warn('worker_unreachable', { worker, path, error })
      return null
    }
  }

  /** A worker's answer that does not end. Rejects unless the worker answers with 200, and with the reason of the signal. */
  open(worker: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const peer = { address: worker, tls: this.#secure.has(worker) }
    const outgoing = this.#options.client.open(peer, { method: 'GET', path }, signal)
    outgoing.on('error', reject)
    outgoing.once('response', (answer) => {
      if (answer.statusCode === 200) return resolve(answer)
      answer.destroy()
      reject(new Error(`the worker ${worker} answers with ${answer.statusCode}`))
    })
    return promise
  }

  /** A worker's answer as JSON; null when the worker does not answer, or answers with another status than 2xx. */
  async request(
    worker: string,
    method: 'GET' | 'PUT',
    path: string,
    body?: unknown,
    timeoutMs = READ_TIMEOUT_MS,
    { signal, onError }: RequestOptions = {},
  ): Promise<unknown> {
    const { client, log } = this.#options
    try {
      const { status, body: answer } = await client.send(
        { address: worker, tls: this.#secure.has(worker) },
        {
          ...{ method, path },
          ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: stringifyJson(body) }),
        },
        AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      )
      if (status >= 200 && status < 300) return parseJson(answer.toString())
      log.warn('worker_refused', { worker, path, status })
    } catch (error) {
      log.warn('worker_unreachable', { worker, path, error })
      onError?.(error)
    }
    return null
  }

  /**
   * Requests that arrive together ask Kafka once, because the size of Kafka's answer grows with the number of tasks.
   */
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

/** One worker need not make all previews. */
function shuffled(workers: readonly string[]): readonly string[] {
  const first = Math.floor(Math.random() * workers.length)
  return [...workers.slice(first), ...workers.slice(0, first)]
}

/** The address in a member's group metadata; null for a member that is not one of our workers. */
function workerPeer(metadata: unknown): Peer | null {
  const { worker, tls } = (metadata ?? {}) as { worker?: unknown; tls?: unknown }
  return typeof worker === 'string' && isWorkerAddress(worker) ? { address: worker, tls: tls === true } : null
}

/** Codes of Node for a connection that ended before the answer. Without a connection no worker got the request. */
const BROKEN_OFF = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** How a worker failed that has got a request; null: none has got it. */
function cutOff(error: unknown): 'ended' | 'silent' | null {
  if (!(error instanceof Error)) return null
  if (error.name === 'TimeoutError') return 'silent'
  return BROKEN_OFF.has(String((error as NodeJS.ErrnoException).code)) ? 'ended' : cutOff(error.cause)
}

function jsonOrNull(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString())
  } catch {
    return null
  }
}

function checkError(message: string): FieldError[] {
  return [{ field: 'connector.class', message }]
}

function ended(worker: string): string {
  return `The worker ${worker} ended while it checked this configuration, so no other worker was asked. The configuration may be the cause: look into that worker's log, and try again.`
}

function silent(worker: string): string {
  return `The worker ${worker} did not answer within ${VALIDATE_TIMEOUT_MS / 1000} s whether this configuration is valid, so no other worker was asked. Look into that worker's log, and try again.`
}

const REFUSED = `Workers ended ${MAX_DEATHS} times while they checked this configuration and no other, so none is asked about it any more. Their logs say why; change the configuration.`

function isPlanned(answer: unknown): answer is Planned {
  return isValidation(answer) && Array.isArray((answer as { tasks?: unknown }).tasks)
}

function isValidation(answer: unknown): answer is { errors: FieldError[]; complete?: boolean } {
  return Array.isArray((answer as { errors?: unknown } | null)?.errors)
}
