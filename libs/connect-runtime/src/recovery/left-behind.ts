import type { SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore, StatusStore } from '@tributary/connect-storage'
import type { LogFields, Logger } from '@tributary/telemetry'
import { unitOf } from '../assignment/group.ts'
import { findPlugin, pluginOf } from '../assignment/units.ts'
import type { TaskId } from '../model/task.ts'
import { type RecoveryRun, type RecoveryRunRequest, startRecoveryRun } from './recovery-run.ts'
import { type LeftFolder, leftFolders } from './left-behind-folders.ts'
import type { TaskEnvironment } from '../unit/task-factory.ts'

/** ms between two checks. A folder is drained once two checks in a row find its task on another worker: a restart is no move. */
const CHECK_MS = 5000
/** ms. A run may fail, or another process may hold the folder's lock. The wait before the next run then doubles up to this. */
const BACKOFF_MAX_MS = 5 * 60_000

export interface LeftBehindOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly config: Pick<ConfigStore, 'snapshot'>
  readonly status: Pick<StatusStore, 'task'>
  readonly environment: TaskEnvironment
  readonly workerId: string
  /** Whether the task runs or stops on this worker. Such a task delivers its folder itself. */
  readonly isHere: (id: TaskId) => boolean
  readonly log: Logger
  /** ms between two checks; for tests. */
  readonly checkMs?: number
}

/** What the checks know of one task's folder. */
interface Found {
  readonly id: TaskId
  bytes: number
  /** What the last check decided; null before the first, and after a run. */
  verdict: KeepReason | 'drain' | null
  /** The log has a line for this verdict. */
  logged: boolean
  backoffMs: number
  retryAt: number
  run: RecoveryRun | null
  /** Records that the broker acknowledged in runs that are over. */
  records: number
}

/** Why a folder is kept: its connector does not exist, its task does not exist, or its task does not run on another worker. */
type KeepReason = 'connector_absent' | 'task_absent' | 'task_not_running'

export interface RecoveryCount {
  readonly id: TaskId
  readonly plugin: SourcePlugin | null
  readonly records: number
  /** Bytes in the task's folder on this host; 0 while the task is on this worker. */
  readonly bytes: number
}

/**
 * Delivers the records that tasks left on this host's disk before they moved to another host. A recovery task does so while the
 * task runs on another worker. The folder of a paused, stopped or failed task waits until the task runs again. The folder of a
 * deleted connector or task is kept: the operator decides what becomes of it.
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

  /** The group has assigned `units` to this worker. Their recovery tasks stop: the tasks deliver their folders themselves. */
  assigned(units: readonly string[]): void {
    for (const unit of units)
      this.#found
        .get(unit)
        ?.run?.stop()
        .catch((error: unknown) => this.#failed(error))
    // Until the first assignment, this worker does not know which tasks it runs.
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

  /** Resolves once no check is in progress. */
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
    this.#checking = this.#checking.then(() => this.#checkFolders()).catch((error: unknown) => this.#failed(error))
  }

  async #checkFolders(): Promise<void> {
    if (this.#stopped) return
    const { environment, isHere, config } = this.#options
    const folders = await leftFolders(environment.dataDir, config.snapshot.connectors())
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
      found.logged = false
      return
    }
    if (typeof request !== 'string') {
      if (found.run === null && this.#now >= found.retryAt) await this.#drain(found, folder, request)
      return
    }
    if (!found.logged) this.#log(folder, { reason: request, action: 'keep' })
    found.logged = true
    await found.run?.stop()
  }

  /** Returns the run that delivers the folder, or why the folder is kept; null if this service has no recovery task for it. */
  #requestFor(id: TaskId): RecoveryRunRequest | KeepReason | null {
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

  #log({ id, dir, bytes }: LeftFolder, fields: LogFields): void {
    this.#options.log.warn('spill_left_behind', { connector_name: id.connector, task: id.task, dir, bytes, ...fields })
  }

  async #drain(found: Found, folder: LeftFolder, request: RecoveryRunRequest): Promise<void> {
    const { environment, log, status } = this.#options
    const { connector, task } = folder.id
    const fields = { connector_name: connector, task }
    const owner = status.task(connector, task)?.workerId
    this.#log(folder, { reason: 'task_moved', owner, action: 'drain' })
    let run: RecoveryRun
    try {
      run = await startRecoveryRun(environment, request)
    } catch (error) {
      this.#waitLonger(found)
      log.error('spill_drain_failed', { ...fields, error })
      return
    }
    found.run = run
    run.ended.then((error) => this.#ended(found, run, error)).catch((error: unknown) => this.#failed(error))
  }

  async #ended(found: Found, run: RecoveryRun, error: unknown): Promise<void> {
    const { log, environment, config } = this.#options
    const { connector, task } = found.id
    found.run = null
    found.verdict = null
    found.records += run.records
    const fields = { connector_name: connector, task, recovered_records: run.records }
    if (error !== null) log.error('spill_drain_failed', { ...fields, error })
    const folders = await leftFolders(environment.dataDir, config.snapshot.connectors())
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
  return { id, bytes: 0, verdict: null, logged: false, backoffMs: 0, retryAt: 0, run: null, records: 0 }
}
