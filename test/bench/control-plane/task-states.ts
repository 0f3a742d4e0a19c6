import type { KafkaConnection } from '@tributary/config'
import { createStores, type StatusStore } from '@tributary/connect-storage'
import { createLogger } from '@tributary/telemetry'

const quiet = createLogger({ name: 'bench', level: 'error' })
const WAIT_MS = 180_000

/** Follows the status topic as the control plane does, so that waiting for tasks costs neither service anything. */
export class TaskStates {
  readonly #status: StatusStore & { stop(): Promise<void> }
  readonly #running = new Map<string, string>()
  #look: () => void = () => {}

  private constructor(status: StatusStore & { stop(): Promise<void> }) {
    this.#status = status
    status.listen((connector, task) => {
      const entry = task === 0 ? status.task(connector, task) : null
      if (entry?.state === 'RUNNING') this.#running.set(connector, entry.workerId)
      else if (task === 0) this.#running.delete(connector)
      this.#look()
    })
  }

  static async follow(connection: KafkaConnection, cluster: string): Promise<TaskStates> {
    const { status } = createStores({ connection, log: quiet, cluster })
    await status.start(AbortSignal.timeout(WAIT_MS))
    return new TaskStates(status)
  }

  /** Resolves once `count` connectors have their task 0 RUNNING on `workerId`; throws when that takes 3 minutes. */
  async running(count: number, workerId: string): Promise<void> {
    const on = (): number => [...this.#running.values()].filter((id) => id === workerId).length
    if (on() >= count) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = (): void =>
      reject(new Error(`${on()} of ${count} tasks are RUNNING on ${workerId} after ${WAIT_MS} ms`))
    const timer = setTimeout(giveUp, WAIT_MS)
    this.#look = () => {
      if (this.#running.size >= count && on() >= count) resolve()
    }
    await promise.finally(() => clearTimeout(timer))
  }

  stop(): Promise<void> {
    return this.#status.stop()
  }
}
