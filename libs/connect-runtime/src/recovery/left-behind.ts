import type { SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore, StatusStore } from '@tributary/connect-storage'
import type { LogFields, Logger } from '@tributary/telemetry'
import { unitOf } from '../assignment/group.ts'
import { findPlugin, pluginOf } from '../assignment/units.ts'
import type { TaskId } from '../model/task.ts'
import { type RecoveryRun, type RecoveryRunRequest, startRecoveryRun } from './recovery-run.ts'
import { type LeftFolder, leftFolders } from './left-behind-folders.ts'
import type { TaskEnvironment } from '../unit/task-factory.ts'

/** ms between two looks at the folders; only what two of them find to be another worker's is drained, so a restart is no move. */
const CHECK_MS = 5000
/** A folder that a run did not empty, as it failed or another process has it, waits for twice as long each time. */
const BACKOFF_MAX_MS = 5 * 60_000

export interface LeftBehindOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly config: Pick<ConfigStore, 'snapshot'>
  readonly status: Pick<StatusStore, 'task'>
  readonly environment: TaskEnvironment
  readonly workerId: string
  /** Is the task here, or stopping here? Then its folder is its own business. */
  readonly isHere: (id: TaskId) => boolean
  readonly log: Logger
  /** Tests look faster. */
  readonly checkMs?: number
}

/** What was found of one task. */
interface Found {
  readonly id: TaskId
  bytes: number
  /** What is to be done about it, as of the last look. */
  verdict: Kept | 'drain' | null
  /** The log says so. */
  told: boolean
  backoffMs: number
  retryAt: number
  run: RecoveryRun | null
  /** Of runs that are over. */
  records: number
}

/** Why nothing is done about it: the connector is deleted, the task is not running anywhere, or it cannot be late. */
type Kept = 'connector_absent' | 'task_absent' | 'task_not_running'

export interface RecoveryCount {
  readonly id: TaskId
  readonly plugin: SourcePlugin | null
  readonly records: number
  /** Bytes that wait here for a task that is not here. */
  readonly bytes: number
}

/**
 * What tasks left on this host's disk, and which have since moved to another host, would never come to Kafka: here it does, late,
 * as long as the task runs there. What belongs to a paused or stopped task waits with it; that of a deleted connector is kept for
 * whoever deleted it to decide.
 */
export class LeftBehind {
  readonly #options: LeftBehindOptions
  readonly #found = new Map<string, Found>()
  #timer: NodeJS.Timeout | null = null
  #checking: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: LeftBehindOptions) {
    this.#options = options
  }

  /** The group gives these units to this worker: their tasks hand out themselves what is there. */
  assigned(units: readonly string[]): void {
    for (const unit of units)
      this.#found
        .get(unit)
        ?.run?.stop()
        .catch((error: unknown) => this.#failed(error))
    // Before the group has said for the first time what runs here, nothing is known to be left behind.
    if (!this.#stopped) this.#timer ??= setInterval(() => this.#check(), this.#options.checkMs ?? CHECK_MS).unref()
  }

  counts(): RecoveryCount[] {
    return [...this.#found.values()].map(({ id, bytes, run, records }) => ({
      id,
      plugin: this.#pluginOf(id),
      records: records + (run?.records ?? 0),
      bytes,
    }))
  }

  /** Resolves once no look is under way. */
  idle(): Promise<void> {
    return this.#checking
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#checking
    await Promise.all([...this.#found.values()].flatMap(({ run }) => run?.stop() ?? []))
  }

  #check(): void {
    this.#checking = this.#checking.then(() => this.#look()).catch((error: unknown) => this.#failed(error))
  }

  async #look(): Promise<void> {
    if (this.#stopped) return
    const { environment, isHere } = this.#options
    const folders = await leftFolders(environment.dataDir)
    const there = new Map(folders.map((folder) => [unitOf.task(folder.id.connector, folder.id.task), folder]))
    for (const [unit, found] of this.#found) {
      const folder = there.get(unit)
      const here = isHere(found.id)
      found.bytes = folder && !here ? folder.bytes : 0
      if (here) await found.run?.stop()
    }
    for (const [unit, folder] of there) if (!isHere(folder.id)) await this.#consider(unit, folder)
  }

  async #consider(unit: string, folder: LeftFolder): Promise<void> {
    const request = this.#requestFor(folder.id)
    if (request === null) return
    const found = this.#found.get(unit) ?? newFound(folder.id)
    this.#found.set(unit, found)
    found.bytes = folder.bytes
    const verdict = typeof request === 'string' ? request : 'drain'
    if (verdict !== found.verdict) {
      found.verdict = verdict
      found.told = false
      return
    }
    if (typeof request !== 'string') {
      if (found.run === null && this.#now >= found.retryAt) this.#drain(found, folder, request)
      return
    }
    if (!found.told) this.#tell(folder, { reason: request, action: 'keep' })
    found.told = true
    await found.run?.stop()
  }

  /** Why it stays; null: it is no business of this service. */
  #requestFor(id: TaskId): RecoveryRunRequest | Kept | null {
    const { config, status, workerId, plugins } = this.#options
    const { snapshot } = config
    const connector = snapshot.config(id.connector)
    if (connector === null) return 'connector_absent'
    if (findPlugin(plugins, connector['connector.class']) === null) return null
    const props = snapshot.tasks(id.connector)[id.task]
    if (!props) return snapshot.targetState(id.connector) === 'STOPPED' ? 'task_not_running' : 'task_absent'
    const plugin = pluginOf(snapshot, plugins, id.connector, props)
    if (!plugin?.createRecoveryTask) return null
    const owner = status.task(id.connector, id.task)
    const runs = owner?.state === 'RUNNING' && owner.workerId !== workerId
    if (!runs || snapshot.targetState(id.connector) !== 'STARTED') return 'task_not_running'
    return { id, plugin, createRecoveryTask: () => plugin.createRecoveryTask!(), props }
  }

  #tell({ id, dir, bytes }: LeftFolder, fields: LogFields): void {
    this.#options.log.warn('spill_left_behind', { connector_name: id.connector, task: id.task, dir, bytes, ...fields })
  }

  #drain(found: Found, folder: LeftFolder, request: RecoveryRunRequest): void {
    const { environment, log, status } = this.#options
    const { connector, task } = folder.id
    const fields = { connector_name: connector, task }
    const owner = status.task(connector, task)?.workerId
    this.#tell(folder, { reason: 'task_moved', owner, action: 'drain' })
    let run: RecoveryRun
    try {
      run = startRecoveryRun(environment, request)
    } catch (error) {
      this.#waitLonger(found)
      log.error('spill_drain_failed', { ...fields, error })
      return
    }
    found.run = run
    run.ended.then((error) => this.#ended(found, run, error)).catch((error: unknown) => this.#failed(error))
  }

  async #ended(found: Found, run: RecoveryRun, error: unknown): Promise<void> {
    const { log, environment } = this.#options
    const { connector, task } = found.id
    found.run = null
    found.verdict = null
    found.records += run.records
    const fields = { connector_name: connector, task, late_records: run.records }
    if (error !== null) log.error('spill_drain_failed', { ...fields, error })
    const folders = await leftFolders(environment.dataDir)
    const left = folders.find(({ id }) => id.connector === connector && id.task === task)
    found.bytes = left?.bytes ?? 0
    if (left) this.#waitLonger(found)
    else {
      found.backoffMs = 0
      log.info('spill_drained', fields)
    }
  }

  #waitLonger(found: Found): void {
    found.backoffMs = Math.min(BACKOFF_MAX_MS, Math.max(this.#options.checkMs ?? CHECK_MS, found.backoffMs * 2))
    found.retryAt = this.#now + found.backoffMs
  }

  get #now(): number {
    return this.#options.environment.clock.monotonic()
  }

  #pluginOf({ connector, task }: TaskId): SourcePlugin | null {
    const { config, plugins } = this.#options
    return pluginOf(config.snapshot, plugins, connector, config.snapshot.tasks(connector)[task])
  }

  #failed(error: unknown): void {
    this.#options.log.error('left_behind_check_failed', { error })
  }
}

function newFound(id: TaskId): Found {
  return { id, bytes: 0, verdict: null, told: false, backoffMs: 0, retryAt: 0, run: null, records: 0 }
}
