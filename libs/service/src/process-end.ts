import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigException } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** How a service's process ends: watches signals, the parent and unhandled errors, and stops what was started, once. */
export class ProcessEnd {
  /** Time for all stop functions together, in ms. */
  timeoutMs = 10_000
  /** Takes errors that nobody handled; absent, or when it answers false or throws, they end the process. */
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

  /** Stops on SIGTERM and SIGINT, the second of which ends the process at once, and with `parent` when stdin ends. */
  watch(parent: boolean): void {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (this.stopping) process.exit(1)
        void this.stop(signal)
      })
    }
    if (!parent) return
    // A pipe's end is closed by the kernel however the parent ended, its kill -9 included.
    process.stdin.resume()
    for (const event of ['end', 'close', 'error'] as const)
      process.stdin.once(event, () => void this.stop('parent_gone'))
  }

  /** Adds what is to be stopped; the functions are called one after the other, in the order added. */
  onStop(stop: () => Promise<void>): void {
    this.#stops.push(stop)
  }

  /** Stops everything and ends the process: with exit code 1 for an error, one while stopping, or a stop in default of time. */
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
    // Its state is not known: no graceful stop, which could commit what was not done.
    process.exit(1)
  }

  /** A mistake of the user is one clear sentence, without a stack. */
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
