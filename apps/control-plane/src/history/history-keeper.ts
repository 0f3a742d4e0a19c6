import { backoffMs, sleep } from '@tributary/async'
import type { Logger } from '@tributary/telemetry'
import { ConfigHistory, type ConfigHistoryOptions } from './config-history.ts'

export interface HistoryKeeperOptions extends ConfigHistoryOptions {
  readonly log: Logger
}

/** The leader's work on the history: it makes versions of what changed without one, as on the first start with a history. */
export class HistoryKeeper {
  readonly #history: ConfigHistory
  readonly #log: Logger

  constructor({ log, ...options }: HistoryKeeperOptions) {
    this.#history = new ConfigHistory(options)
    this.#log = log
  }

  /** Works until it is done, or until the signal aborts: this replica leads no more. Call it once this replica may write. */
  start(signal: AbortSignal): void {
    void this.#catchUp(signal)
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await this.#history.catchUp(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#log.warn('history_catch_up_failed', { error })
        await sleep(backoffMs(attempt, { baseMs: 500, maxMs: 60_000 }), signal).catch(() => undefined)
      }
    }
  }
}
