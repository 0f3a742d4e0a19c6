import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigException } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Ends a service's process. Watches signals, the parent process and unhandled errors, and then calls the stop functions
 * once.
 */
export class ProcessEnd {
  /** Time for all stop functions together, in ms. */
  timeoutMs = 10_000
  /** Handles errors that nobody caught. Absent, or if it returns false or throws, such an error ends the process. */
  unhandled: ((error: unknown) => boolean) | undefined
  readonly #log: Logger
  readonly #abort = new AbortController()
  readonly #stops: (() => Promise<void>)[] = []

  constructor(log: Logger) {
    this.#log = log
    process.on('uncaughtException', (error) => this.#onUnhandled('uncaught_exception', error))
    process.on('unhandledRejection', (error) => this.#onUnhandled('unhandled_rejection', error))
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }
  get stopping(): boolean {
    return this.#abort.signal.aborted
  }

  /**
   * Stops on SIGTERM and SIGINT; a second signal ends the process at once. With `parent` the end of stdin stops the
   * process, too.
   */
  watch(parent: boolean): void {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (this.stopping) process.exit(1)
        void this.stop(signal)
      })
    }
    if (!parent) return
    // The kernel closes the parent's end of the pipe however the parent ends, also after kill -9.
    process.stdin.resume()
    for (const event of ['end', 'close', 'error'] as const)
      process.stdin.once(event, () => void this.stop('parent_gone'))
  }

  /** Adds a stop function. The functions are called one after the other, in the order in which they were added. */
  onStop(stop: () => Promise<void>): void {
    this.#stops.push(stop)
  }

  /**
   * Stops everything and ends the process. The exit code is 1 if `error` is given, a stop function fails, or the time
   * is over.
   */
  async stop(reason: string, error?: unknown): Promise<void> {
    if (this.stopping) return
    if (error !== undefined) this.#report(reason, error)
    else this.#log.info('service_stopping', { reason })
    this.#abort.abort(new Error(`the service stops: ${reason}`))
    const clean = await Promise.race([this.#runStops(), this.#deadline()])
    const exitCode = clean && error === undefined ? 0 : 1
    this.#log.info('service_stopped', { reason, exit_code: exitCode })
    process.exit(exitCode)
  }

  async #runStops(): Promise<boolean> {
    let clean = true
    for (const stop of this.#stops) {
      try {
        await stop()
      } catch (error) {
        clean = false
        this.#log.error('stop_failed', { error: asError(error) })
      }
    }
    return clean
  }

  async #deadline(): Promise<boolean> {
    await sleep(this.timeoutMs)
    this.#log.error('stop_timed_out', { timeout_ms: this.timeoutMs })
    return false
  }

  #onUnhandled(event: string, error: unknown): void {
    this.#log.error(event, { error: asError(error) })
    if (this.unhandled) {
      try {
        if (this.unhandled(error)) return
      } catch (failure) {
        this.#log.error('unhandled_handler_failed', { error: asError(failure) })
      }
    }
    // The state of the process is unknown. A graceful stop could commit work that was not done.
    process.exit(1)
  }

  /** A user's mistake is logged as one clear sentence, without a stack. */
  #report(reason: string, error: unknown): void {
    if (!(error instanceof ConfigException)) {
      this.#log.error(reason, { error: asError(error) })
      return
    }
    for (const line of error.message.split('\n')) this.#log.error(reason, { message: line })
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`thrown: ${String(error)}`)
}
