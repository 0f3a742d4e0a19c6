import { stringifyJson } from '@tributary/config'
import type { Readable } from 'node:stream'
import type { ConnectorStatus, ConnectorViews } from '../services/connector-views.ts'
import type { Workers } from '../services/workers.ts'
import { EventStream } from './event-stream.ts'
import { readWorkerLines, type TailRecord, type WorkerLine } from './worker-lines.ts'

/** How often the status, and the list of workers, are looked at, in ms. */
const STATUS_MS = 250
const WORKERS_MS = 1000
const HEARTBEAT_MS = 10_000
/** A list of members that is not older than this, in ms, is current enough. */
const FRESH_MS = 500

export interface TailTerms {
  readonly connector: string
  /** Most records in a second, 1 to 1,000. */
  readonly rate: number
  /** Only records of this topic; null: all. */
  readonly topic: string | null
  /** The tail ends after so many records (null: none), or seconds. 0 s: it tells the status, and ends. */
  readonly records: number | null
  readonly seconds: number
  /** The record as the caller may see it. */
  readonly show: (record: TailRecord) => object
}

export type EndReason = 'records' | 'seconds' | 'deleted' | 'shutdown'

const WHY: Readonly<Record<EndReason, string>> = {
  records: 'As many records were shown as were asked for.',
  seconds: 'The time is over.',
  deleted: 'The connector was deleted.',
  shutdown: 'This replica of the control plane stops: tail another one.',
}

export interface TailParts {
  readonly views: ConnectorViews
  readonly workers: Pick<Workers, 'of' | 'open'>
}

/**
 * One tail: what the workers of the connector's service tell of it, as events. Every worker is asked, whether it runs a task or not, so
 * that nothing is missed when a task moves.
 */
export class TailSession {
  readonly #terms: TailTerms
  readonly #parts: TailParts
  readonly #events = new EventStream()
  readonly #streams = new Map<string, AbortController>()
  readonly #timers: NodeJS.Timeout[] = []
  #status: string | null = null
  #shown = 0
  #second = { seen: 0, arrived: 0, shown: 0, dropped: 0 }
  /** The part of the records that come which is shown: above one worker, each may bring as many as the rate. */
  #share = 1
  #credit = 0
  #over = false

  constructor(terms: TailTerms, parts: TailParts) {
    this.#terms = terms
    this.#parts = parts
  }

  start(): Readable {
    const { seconds } = this.#terms
    const { readable } = this.#events
    readable.once('close', () => this.#release())
    this.#tellStatus()
    if (seconds === 0) this.end('seconds')
    if (this.#over) return readable
    const every = (ms: number, what: () => void): void => void this.#timers.push(setInterval(what, ms).unref())
    every(STATUS_MS, () => this.#tellStatus())
    every(WORKERS_MS, () => void this.#follow())
    every(1000, () => this.#endSecond())
    every(HEARTBEAT_MS, () => this.#events.heartbeat())
    this.#timers.push(setTimeout(() => this.end('seconds'), seconds * 1000).unref())
    void this.#follow()
    return readable
  }

  end(reason: EndReason): void {
    if (this.#over) return
    this.#endSecond()
    this.#events.send('end', { reason, message: WHY[reason], records: this.#shown })
    this.#release()
    this.#events.end()
  }

  #release(): void {
    this.#over = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const stream of this.#streams.values()) stream.abort()
  }

  #tellStatus(): void {
    const { views } = this.#parts
    const { connector } = this.#terms
    if (!views.has(connector)) return this.end('deleted')
    const status = views.statusOrNull(connector)
    const text = stringifyJson(status)
    if (text === this.#status) return
    this.#status = text
    this.#events.send('status', { message: sentence(connector, status), status })
  }

  /** Asks each worker that is there and not asked yet. */
  async #follow(): Promise<void> {
    const { views, workers } = this.#parts
    const service = views.has(this.#terms.connector) ? views.plugin(this.#terms.connector)?.service : undefined
    const members = service === undefined ? [] : await workers.of(service, FRESH_MS)
    if (this.#over) return
    for (const [worker, stream] of this.#streams) if (!members.includes(worker)) stream.abort()
    for (const worker of members) if (!this.#streams.has(worker)) void this.#read(worker)
  }

  async #read(worker: string): Promise<void> {
    const { connector, rate, topic } = this.#terms
    const query = new URLSearchParams({ rate: String(rate), ...(topic !== null && { topic }) })
    const path = `/internal/connectors/${encodeURIComponent(connector)}/tail?${query.toString()}`
    const stream = new AbortController()
    this.#streams.set(worker, stream)
    try {
      await readWorkerLines(this.#parts.workers, worker, path, (line) => this.#told(worker, line), stream.signal)
    } catch (error) {
      if (!this.#over && !stream.signal.aborted) {
        const message = `${(error as Error).message}. Its records are not shown until it answers.`
        this.#events.send('worker', { worker, message })
      }
    }
    // The next look at the workers asks again.
    this.#streams.delete(worker)
  }

  #told(worker: string, line: WorkerLine): void {
    if (this.#over) return
    if ('record' in line) return this.#record(worker, line.record)
    if ('run' in line) return this.#events.send('task', { worker, ...line })
    this.#second.seen += line.seen
  }

  #record(worker: string, record: TailRecord): void {
    const second = this.#second
    second.arrived++
    this.#credit += this.#share
    if (this.#credit < 1 || second.shown >= this.#terms.rate) return
    this.#credit -= 1
    if (this.#events.full) {
      second.dropped++
      return
    }
    second.shown++
    this.#shown++
    this.#events.send('record', { ...this.#terms.show(record), worker })
    if (this.#shown === this.#terms.records) this.end('records')
  }

  #endSecond(): void {
    const { seen, arrived, shown, dropped } = this.#second
    this.#second = { seen: 0, arrived: 0, shown: 0, dropped: 0 }
    this.#share = Math.min(1, this.#terms.rate / Math.max(1, arrived))
    if (this.#share === 1) this.#credit = 0
    if (seen > shown + dropped) this.#events.send('sampled', { seen, shown })
    if (dropped > 0) this.#events.send('dropped', { records: dropped, message: 'The client reads too slowly.' })
  }
}

function sentence(connector: string, status: ConnectorStatus | null): string {
  if (status === null) return `No worker has taken the connector ${connector} yet.`
  const { state, trace } = status.connector
  if (state === 'PAUSED') return 'The connector is paused: its tasks read nothing until it is resumed.'
  if (state === 'STOPPED') return 'The connector is stopped: it has no tasks until it is resumed.'
  if (state === 'FAILED') return `The connector failed: ${firstLine(trace)}`
  const failed = status.tasks.find((task) => task.state === 'FAILED')
  if (failed !== undefined) return `Task ${failed.id} failed: ${firstLine(failed.trace)}`
  const running = status.tasks.filter((task) => task.state === 'RUNNING').length
  return `The connector is ${state}; ${running} of its ${status.tasks.length} tasks run.`
}

function firstLine(trace: string | undefined): string {
  return trace?.split('\n', 1)[0] ?? 'no reason was given'
}
