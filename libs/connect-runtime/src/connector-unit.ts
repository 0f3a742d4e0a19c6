import { type Props, type SourcePlugin, traceOf } from '@tributary/connect-api'
import type { ConfigStore, State, StatusStore, TargetState } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { Serial } from './serial.ts'
import { sameProps } from './task-unit.ts'

export interface ConnectorUnitOptions {
  readonly connector: string
  readonly plugin: SourcePlugin
  readonly epoch: number
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly workerId: string
  readonly log: Logger
}

/** A connector that is assigned to this worker: splits its configuration into tasks and writes them to the config topic. */
export class ConnectorUnit {
  readonly connector: string
  readonly epoch: number
  failure: unknown = null
  readonly #options: ConnectorUnitOptions
  readonly #operations = new Serial()
  #released = false

  constructor(options: ConnectorUnitOptions) {
    this.#options = options
    this.connector = options.connector
    this.epoch = options.epoch
  }

  /** Brings tasks and status in line with the present configuration and target state. Asked again, it does it again. */
  reconcile(): Promise<void> {
    return this.#operations.run(async () => {
      if (this.#released) return
      const { config, log } = this.#options
      const props = config.snapshot.config(this.connector)
      if (props === null) return
      const target = config.snapshot.targetState(this.connector)
      try {
        const tasks = this.#tasks(props, target)
        if (tasks && !this.#unchanged(tasks)) await config.putTaskConfigs(this.connector, tasks, this.epoch)
        this.failure = null
        await this.#report(stateOf(target))
      } catch (error) {
        this.failure = error
        log.error('connector_failed', { connector_name: this.connector, error })
        await this.#report('FAILED', traceOf(error))
      }
    })
  }

  release(finalState: 'UNASSIGNED' | 'DELETED' | 'SILENT'): Promise<void> {
    this.#released = true
    return this.#operations.run(async () => {
      if (finalState === 'UNASSIGNED') await this.#report('UNASSIGNED')
      if (finalState === 'DELETED') await this.#options.status.deleteConnector(this.connector)
    })
  }

  /** The wanted tasks; null: leave them as they are. Paused from birth makes none until the first resume. */
  #tasks(props: Props, target: TargetState): Props[] | null {
    const { plugin, config } = this.#options
    if (target === 'STOPPED') return []
    if (target === 'PAUSED' && config.snapshot.tasks(this.connector).length === 0) return null
    const maxTasks = Number(props['tasks.max'] ?? 1)
    return plugin.connector
      .taskConfigs(props, maxTasks)
      .slice(0, maxTasks)
      .map((task) => ({ ...task, 'task.class': plugin.taskClass }))
  }

  #unchanged(tasks: readonly Props[]): boolean {
    const present = this.#options.config.snapshot.tasks(this.connector)
    return present.length === tasks.length && present.every((task, i) => sameProps(task, tasks[i]!))
  }

  async #report(state: State, trace?: string): Promise<void> {
    const { status, workerId } = this.#options
    await status.putConnector(this.connector, {
      state,
      workerId,
      generation: this.epoch,
      ...(trace === undefined ? {} : { trace }),
    })
  }
}

function stateOf(target: TargetState): State {
  switch (target) {
    case 'STARTED':
      return 'RUNNING'
    case 'PAUSED':
      return 'PAUSED'
    case 'STOPPED':
      return 'STOPPED'
    default:
      return target satisfies never
  }
}
