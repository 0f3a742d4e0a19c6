import { parseJson, parseKeyValueList } from '@tributary/config'
import { type Clock, ConfigError, type FieldError, type SourceRecord } from '@tributary/connect-api'
import { plus, type SequenceNumber, type SequenceRange, spanOf } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import { compilePath, elementTexts, type JsonPath, namesOfPath } from '../expressions/json-path.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import { type ConnectionInfo, Frame } from '../message/message.ts'
import type { Built, Gap, SequenceLog } from './gap.ts'
import type { Sequences } from './sequences.ts'

/** What the gaps of one batch may cost together. */
export interface Budget {
  /** Aborts when the time is over, or the task has none left. */
  readonly signal: AbortSignal
  /** Bytes of answers that may still be read. */
  bytes: number
}

const NAMES = ['from', 'to', 'stream']

/** Asks a server for missing messages. */
export class Backfill {
  readonly #url: Template
  readonly #headers: readonly [string, string][]
  readonly #read: JsonPath
  readonly #names: readonly string[]

  /** Throws ConfigError. */
  constructor(config: WebSocketConfig) {
    this.#url = urlTemplate(config['backfill.url'] ?? '')
    this.#headers = headersOf(config['backfill.headers'] ?? '')
    this.#read = compilePath(config['backfill.items.field'])
    this.#names = namesOfPath(config['backfill.items.field'])
  }

  /**
   * The texts of the messages that the server answers for a range, each as it stands in the answer; they may be fewer, others,
   * and in any order. Throws AnswerError, or the signal's reason.
   */
  async fetch({ from, to }: SequenceRange, stream: string | null, budget: Budget): Promise<string[]> {
    const values: Readonly<Record<string, string>> = { from: String(from), to: String(to), stream: stream ?? '' }
    const url = this.#url.render((name) => encodeURIComponent(values[name]!))
    const text = await httpGet(url, this.#headers, budget.bytes, budget.signal)
    budget.bytes -= Buffer.byteLength(text)
    return this.#itemsOf(text)
  }

  #itemsOf(text: string): string[] {
    let json: unknown
    try {
      json = parseJson(text)
    } catch (cause) {
      throw new AnswerError('the answer is not JSON', true, { cause })
    }
    const items = Array.isArray(this.#read(json)) ? elementTexts(text, this.#names) : null
    if (items === null) throw new AnswerError('the answer has no array at backfill.items.field', false)
    return items
  }
}

/** What fetch would refuse is refused here, as the text of its errors holds the URL. */
function urlTemplate(text: string): Template {
  const key = 'backfill.url'
  const invalid = (reason: string): ConfigError =>
    new ConfigError('BACKFILL_URL', `Invalid ${key}: ${reason}`, { field: key })
  const template = compileTemplate(text, key)
  const unknown = template.names.find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(`{{${unknown}}} is unknown; there are ${NAMES.join(', ')}`)
  const url = URL.parse(template.render(() => '1'))
  if (url === null) throw invalid('it is no URL')
  if (url.username !== '' || url.password !== '') throw invalid('user and password belong into backfill.headers')
  return template
}

function headersOf(text: string): [string, string][] {
  const headers = parseKeyValueList(text)
  for (const [name, value] of headers) {
    try {
      new Headers([[name, value]])
    } catch {
      // Its text holds the value.
      throw new ConfigError('BACKFILL_HEADER', 'Invalid backfill.headers: a name or a value that no header may have', {
        field: 'backfill.headers',
      })
    }
  }
  return headers
}

/** What the declared checks cannot tell of the backfill, each on its key. */
export function backfillErrors(config: WebSocketConfig): FieldError[] {
  if (!config['backfill.url']) return []
  try {
    new Backfill(config)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ field: error.field ?? 'backfill.url', message: error.message }]
  }
}

/** Doubles with each try, in ms: what the server has not yet it may have soon. */
const FIRST_WAIT_MS = 200
const NOT_THERE = 'the server has not got them'

export interface GapFillerOptions {
  readonly backfill: Backfill
  readonly build: (frames: readonly Frame[]) => Built
  readonly sequences: Sequences
  readonly maxAttempts: number
  readonly clock: Clock
  readonly log: SequenceLog
}

/** The records that a message of a backfill made. */
interface Fetched {
  readonly number: SequenceNumber
  readonly records: readonly SourceRecord[]
}

/** Fetches what a gap lacks, as far as it can be had. */
export class GapFiller {
  readonly #options: GapFillerOptions

  constructor(options: GapFillerOptions) {
    this.#options = options
  }

  /**
   * The records of missing messages, in the order of their numbers; what came before is not among them. Never rejects: what
   * cannot be had stays missing, and the log says why.
   */
  async fill(gap: Gap, connection: ConnectionInfo, budget: Budget): Promise<SourceRecord[]> {
    const fetched: Fetched[] = []
    const error = await this.#fetchAll(gap, connection, budget, fetched)
    if (error !== null && this.#missing(gap).length > 0) this.#options.log.backfillFailed(gap, error)
    fetched.sort((a, b) => (a.number < b.number ? -1 : 1))
    return fetched.flatMap(({ records }) => records)
  }

  /** Until nothing is missing, the budget is used up, or tries bring nothing new. Why it ended, null when all is there. */
  async #fetchAll(gap: Gap, connection: ConnectionInfo, budget: Budget, into: Fetched[]): Promise<string | null> {
    const { sequences, maxAttempts, clock } = this.#options
    let last = NOT_THERE
    for (let attempt = 1; ; attempt++) {
      const missing = spanOf(this.#missing(gap))
      if (missing === 0) return null
      try {
        if (attempt > 1) await clock.sleep(FIRST_WAIT_MS * 2 ** Math.min(attempt - 2, 10), budget.signal)
        await this.#fetchPages(gap, connection, budget, into)
        last = NOT_THERE
      } catch (error) {
        if (budget.signal.aborted) return `stopped: ${(budget.signal.reason as Error).message}`
        if (!(error instanceof AnswerError)) throw error
        last = error.message
        if (!error.again) return last
      }
      if (spanOf(sequences.missingOf(gap)) < missing) attempt = 0
      if (attempt >= maxAttempts) return last
    }
  }

  /** From the first to the last missing number; after an answer that ends before that, from where it ended. */
  async #fetchPages(gap: Gap, connection: ConnectionInfo, budget: Budget, into: Fetched[]): Promise<void> {
    const missing = this.#missing(gap)
    const to = missing.at(-1)!.to
    for (let from = missing[0]!.from; from <= to;) {
      const texts = await this.#options.backfill.fetch({ from, to }, gap.stream, budget)
      const highest = this.#take(texts, { from, to }, gap, connection, into)
      if (highest === null) return
      from = plus(highest, 1)
    }
  }

  /** Makes records of those that are missing; the highest number that the answer had within the range. */
  #take(
    texts: readonly string[],
    range: SequenceRange,
    gap: Gap,
    connection: ConnectionInfo,
    into: Fetched[],
  ): SequenceNumber | null {
    const { sequences, build, clock } = this.#options
    let highest: SequenceNumber | null = null
    for (const text of texts) {
      const frame = new Frame(Buffer.from(text), false, clock.now(), connection)
      const number = sequences.numberIn(gap.stream, frame)
      if (number === null || number < range.from || number > range.to) continue
      if (highest === null || number > highest) highest = number
      if (sequences.missingOf({ ...gap, from: number, to: number }).length === 0) continue
      const { records } = sequences.within(gap.stream, () => build([frame]))
      into.push({ number, records: records.map((record) => at(record, number)) })
    }
    return highest
  }

  #missing(gap: Gap): SequenceRange[] {
    return this.#options.sequences.missingOf(gap)
  }
}

/** A record whose stream stands, at its place, at its own number: later ones of its stream come behind it. */
function at(record: SourceRecord, number: SequenceNumber): SourceRecord {
  return { ...record, sourceOffset: { ...record.sourceOffset, stream_sequence: number } }
}

/** Why an answer cannot be used; `again`: it may be another one when it is asked for again. */
export class AnswerError extends Error {
  readonly again: boolean

  constructor(message: string, again: boolean, options?: ErrorOptions) {
    super(message, options)
    this.again = again
  }
}

/** RFC 9110: request timeout; RFC 6585: too many requests. */
const RETRIABLE = new Set([408, 425, 429])

/**
 * The body of a 2xx answer as text, of at most `maxBytes` bytes after decompression. No redirect is followed, as headers that
 * hold a secret would go with it. Throws AnswerError, the text of which holds nothing of the URL, or the signal's reason.
 */
export async function httpGet(
  url: string,
  headers: readonly [string, string][],
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  let response: Response
  try {
    response = await fetch(url, { headers: [['Accept', 'application/json'], ...headers], redirect: 'manual', signal })
  } catch (cause) {
    signal.throwIfAborted()
    throw new AnswerError(reasonOf(cause), true, { cause })
  }
  const { ok, status, body } = response
  if (!ok) {
    await body?.cancel()
    throw new AnswerError(`HTTP ${status}`, status >= 500 || RETRIABLE.has(status))
  }
  return body === null ? '' : readText(body, maxBytes, signal)
}

async function readText(body: ReadableStream<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > maxBytes)
        throw new AnswerError(
          `the answer is larger than the ${maxBytes} bytes that are left of backfill.max.bytes`,
          false,
        )
      chunks.push(chunk)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof AnswerError) throw cause
    throw new AnswerError(reasonOf(cause), true, { cause })
  }
  return Buffer.concat(chunks).toString()
}

/** fetch says `fetch failed`, and what failed is the cause of that; its text may hold the host, never the path. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  const code = (cause as NodeJS.ErrnoException).code
  return `${message}: ${cause.message || (code ?? cause.name)}`
}
