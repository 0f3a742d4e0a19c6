import type { LogRecord } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'

/** Shortest time in ms between two log lines about skipped records of one topic. */
const LINE_MS = 60_000
/** Different reasons that a line tells apart. */
const MAX_REASONS = 5
const SHOWN_CHARS = 100

interface Sum {
  count: number
  readonly reasons: Map<string, number>
  /** The first skipped record, to be looked at. */
  readonly first: { readonly partition: number; readonly offset: bigint; readonly key: string }
}

/**
 * Logs the records that a store could not read as a sum: one line for all that a start finds, then at most one a minute.
 */
export class SkippedRecords {
  readonly #log: Logger
  readonly #topic: () => string
  #sum: Sum | null = null
  #started = false
  #timer: NodeJS.Timeout | null = null
  #lastLine = -Infinity

  constructor(log: Logger, topic: () => string) {
    this.#log = log
    this.#topic = topic
  }

  add({ partition, offset, key }: LogRecord, reason: string): void {
    this.#sum ??= { count: 0, reasons: new Map(), first: { partition, offset, key: textOf(key) } }
    const { reasons } = this.#sum
    this.#sum.count++
    const told = reasons.has(reason) || reasons.size < MAX_REASONS ? reason : 'other reasons'
    reasons.set(told, (reasons.get(told) ?? 0) + 1)
    if (this.#started) this.#lineWhenDue()
  }

  /** The start has read the topic: what it skipped is logged, and then what comes. */
  started(): void {
    this.#started = true
    this.#line()
  }

  /** Logs what is left. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#line()
  }

  /** The first record after a quiet minute is logged with those that came in the same turn of the event loop. */
  #lineWhenDue(): void {
    if (this.#timer) return
    const waitMs = Math.max(0, this.#lastLine + LINE_MS - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#line()
    }, waitMs).unref()
  }

  #line(): void {
    if (this.#sum === null) return
    const { count, reasons, first } = this.#sum
    this.#sum = null
    this.#lastLine = performance.now()
    this.#log.warn('records_skipped', {
      topic: this.#topic(),
      records: count,
      reasons: Object.fromEntries(reasons),
      ...first,
    })
  }
}

/** The key as a log line shows it. */
function textOf(key: Buffer | null): string {
  const text = key?.subarray(0, SHOWN_CHARS * 4).toString() ?? ''
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text
}
