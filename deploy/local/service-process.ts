import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@tributary/harness'
import { NODE_ENVIRONMENT, NODE_FLAGS } from '@tributary/service/boot'
import { LaunchError } from './errors.ts'
import { shortPath } from './places.ts'

export interface ServiceProcessOptions {
  readonly name: string
  /** The file that Node runs. */
  readonly entry: string
  readonly env: Readonly<Record<string, string>>
  /** The service's output is appended to this file. */
  readonly logFile: string
  /** Called with a line for the user when the service has ended and will be started again. */
  readonly say: (line: string) => void
  /**
   * The wait before the second restart, in ms, 500 by default. Each restart doubles it, up to `maxBackoffMs` (30,000). The
   * first restart does not wait.
   */
  readonly backoffMs?: number
  readonly maxBackoffMs?: number
}

/** A service that ran this long is started again at once when it ends. */
const healthyMs = 10_000
/** A service that ends this often before it was ready once is given up. */
const maxStartTries = 3
const readyTimeoutMs = 60_000
/** A service ends within 10 s after SIGTERM; then SIGKILL follows. */
const stopGraceMs = 12_000

/** One service in a process of its own. The process is started again when it dies, until `stop` or `kill`. */
export class ServiceProcess {
  readonly name: string
  readonly #options: ServiceProcessOptions
  readonly #stopping = new AbortController()
  #child: Child | undefined
  #supervised: Promise<void> = Promise.resolve()
  /** The offset in the log file at which the output of the present process begins. */
  #logStart = 0
  #deaths = 0
  #wasReady = false

  constructor(options: ServiceProcessOptions) {
    this.name = options.name
    this.#options = options
  }

  /** Starts the process and returns at once. `ready` resolves when the service answers. */
  start(): void {
    this.#supervised = this.#supervise()
  }

  /** host:port of the service's admin server, from its log; undefined while the service starts. */
  get address(): string | undefined {
    const line = /^.*\bevent=service_started\b.*$/m.exec(this.#output())?.[0]
    return line === undefined ? undefined : /\baddress="?([^\s"]+)/.exec(line)?.[1]
  }

  /** Resolves when `/ready` answers. Throws LaunchError when the service ends three times before, or takes more than 60 s. */
  async ready(): Promise<void> {
    const log = `its log is ${shortPath(this.#options.logFile)}`
    const deadline = Date.now() + readyTimeoutMs
    while (!(await this.#answersReady())) {
      this.#stopping.signal.throwIfAborted()
      if (this.#deaths >= maxStartTries) {
        throw new LaunchError(`${this.name} does not start, ${log} and says: ${reason(this.#output())}`)
      }
      if (Date.now() > deadline) throw new LaunchError(`${this.name} is not ready after 60 s, ${log}.`)
      await sleep(50)
    }
    this.#wasReady = true
  }

  /** Sends SIGTERM, and SIGKILL after 12 s. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort(new LaunchError(`${this.name} is being stopped.`))
    await this.#child?.stop(stopGraceMs)
    await this.#supervised
  }

  /** Sends SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#stopping.abort(new LaunchError(`${this.name} is being stopped.`))
    await this.#child?.kill()
  }

  async #supervise(): Promise<void> {
    const { say, backoffMs = 500, maxBackoffMs = 30_000 } = this.#options
    let waitMs = 0
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now()
      const ending = await this.#runOnce()
      if (this.#stopping.signal.aborted) return
      this.#deaths++
      if (!this.#wasReady && this.#deaths >= maxStartTries) return // `ready` reports it.
      if (performance.now() - startedAt > healthyMs) waitMs = 0
      const log = shortPath(this.#options.logFile)
      const when = waitMs === 0 ? 'at once' : `in ${waitMs / 1000} s`
      say(`${this.name} ended (${ending}) and is started again ${when}; its log is ${log}`)
      await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
      waitMs = waitMs === 0 ? backoffMs : Math.min(waitMs * 2, maxBackoffMs)
    }
  }

  /** Runs the process to its end. @returns how it ended, in words. */
  async #runOnce(): Promise<string> {
    const { entry, env, logFile } = this.#options
    this.#logStart = existsSync(logFile) ? statSync(logFile).size : 0
    const child = await startChild({
      command: process.execPath,
      args: [...NODE_FLAGS, entry],
      // The service ends when this pipe closes. The harness' watchdog ends a service that does not.
      holdStdin: true,
      env: { ...NODE_ENVIRONMENT, ...env, TRIBUTARY_PARENT_WATCH: '1' },
      logFile,
    })
    this.#child = child
    if (this.#stopping.signal.aborted) await child.stop(stopGraceMs)
    const { code, signal } = await child.exited
    return signal === null ? `exit code ${code}` : signal
  }

  async #answersReady(): Promise<boolean> {
    const address = this.address
    if (address === undefined || this.#child?.exit !== undefined) return false
    try {
      return (await fetch(`http://${address}/ready`, { signal: AbortSignal.timeout(2000) })).ok
    } catch {
      return false // The service is between its end and its next start.
    }
  }

  /** @returns the first 256 KiB that the present process has written. */
  #output(): string {
    const { logFile } = this.#options
    if (!existsSync(logFile)) return ''
    const file = openSync(logFile, 'r')
    try {
      const buffer = Buffer.alloc(256 * 1024)
      return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, this.#logStart))
    } finally {
      closeSync(file)
    }
  }
}

/** @returns the first line that is an error, else the last line. */
function reason(output: string): string {
  const lines = output.trim().split('\n')
  return lines.find((line) => /\bERROR\b|Error:/.test(line)) ?? lines.at(-1) ?? ''
}
