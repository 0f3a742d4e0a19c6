import { parseJson, parseKeyValueList } from '@tributary/config'
import { type Clock, ConfigError, type FieldError, type SourceRecord } from '@tributary/connect-api'
import { plus, type SequenceNumber, type SequenceRange, spanOf } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import { compilePath, elementTexts, type JsonPath, namesOfPath } from '../expressions/json-path.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import { type ConnectionInfo, Message } from '../message/message.ts'
import type { BuiltBatch, Gap, SequenceLog } from './gap.ts'
import type { Sequences } from './sequences.ts'
import { wsErrors } from '../errors.ts'

/** Limits for all backfills of one batch together. */
export interface Budget {
  /** Aborts when the time is up or the task stops. */
  readonly signal: AbortSignal
  /** Bytes of responses that may still be read. */
  bytes: number
}

const NAMES = ['from', 'to', 'stream']

/** Requests missing messages over HTTP. */
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
   * The texts of the messages in the response, each unchanged. The server may return fewer or other messages than the
   * range, and in any order. Throws ResponseError, or the signal's reason.
   */
  async fetch({ from, to }: SequenceRange, stream: string | null, budget: Budget): Promise<string[]> {
    const values: Readonly<Record<string, string>> = { from: String(from), to: String(to), stream: stream ?? '' }
    const url = this.#url.render((name) => encodeURIComponent(values[name]!.toWellFormed()))
    const text = await httpGet(url, this.#headers, budget.bytes, budget.signal)
    budget.bytes -= Buffer.byteLength(text)
    return this.#itemsOf(text)
  }

  #itemsOf(text: string): string[] {
    let json: unknown
    try {
      json = parseJson(text)
    } catch (cause) {
      throw new ResponseError('the answer is not JSON', true, { cause })
    }
    const items = Array.isArray(this.#read(json)) ? elementTexts(text, this.#names) : null
    if (items === null) throw new ResponseError('the answer has no array at backfill.items.field', false)
    return items
  }
}

/** Refuses URLs that fetch would refuse, because the errors of fetch contain the URL. */
function urlTemplate(text: string): Template {
  const key = 'backfill.url'
  const invalid = (reason: string): ConfigError => wsErrors.BACKFILL_URL(`Invalid ${key}: ${reason}`, { field: key })
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
      // The text of the original error contains the value.
      throw wsErrors.BACKFILL_HEADER('Invalid backfill.headers: a name or a value that no header may have', {
        field: 'backfill.headers',
      })
    }
  }
  return headers
}

/** Errors of the backfill keys that the declared checks of the spec cannot find. */
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

/** First delay in ms, doubled with each attempt: the server may soon have messages that are not available yet. */
const FIRST_WAIT_MS = 200
const NOT_THERE = 'the server has not got them'

export interface GapFillerOptions {
  readonly backfill: Backfill
  readonly build: (messages: readonly Message[]) => BuiltBatch
  readonly sequences: Sequences
  readonly maxAttempts: number
  readonly clock: Clock
  readonly log: SequenceLog
}

/** The records of one fetched message. */
interface Fetched {
  readonly number: SequenceNumber
  readonly records: readonly SourceRecord[]
}

/** Fetches the missing messages of gaps, as far as the server has them. */
export class GapFiller {
  readonly #options: GapFillerOptions

  constructor(options: GapFillerOptions) {
    this.#options = options
  }

  /**
   * The records of missing messages, ordered by number, without messages received before. Never rejects: messages that
   * cannot be fetched stay missing, and the log says why.
   */
  async fill(gap: Gap, connection: ConnectionInfo, budget: Budget): Promise<SourceRecord[]> {
    const fetched: Fetched[] = []
    const error = await this.#fetchAll(gap, connection, budget, fetched)
    if (error !== null && this.#missing(gap).length > 0) this.#options.log.backfillFailed(gap, error)
    fetched.sort((a, b) => (a.number < b.number ? -1 : 1))
    return fetched.flatMap(({ records }) => records)
  }

  /**
   * Fetches until nothing is missing, the budget is used up, or attempts bring nothing new. Returns the reason, or null
   * if complete.
   */
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
        if (!(error instanceof ResponseError)) throw error
        last = error.message
        if (!error.retriable) return last
      }
      if (spanOf(sequences.missingOf(gap)) < missing) attempt = 0
      if (attempt >= maxAttempts) return last
    }
  }

  /** Fetches from the first to the last missing number; continues after a response that ends earlier. */
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

  /** Builds the records of missing messages. Returns the highest number of the response within the range. */
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
      const message = new Message(Buffer.from(text), false, clock.now(), connection)
      const number = sequences.numberIn(gap.stream, message)
      if (number === null || number < range.from || number > range.to) continue
      if (highest === null || number > highest) highest = number
      if (sequences.missingOf({ ...gap, from: number, to: number }).length === 0) continue
      const { records } = sequences.withStream(gap.stream, () => build([message]))
      into.push({ number, records: records.map((record) => withNumber(record, number)) })
    }
    return highest
  }

  #missing(gap: Gap): SequenceRange[] {
    return this.#options.sequences.missingOf(gap)
  }
}

/** Sets the stream sequence of a backfilled record to its own number, as later records of the stream follow it. */
function withNumber(record: SourceRecord, number: SequenceNumber): SourceRecord {
  const { stream_digests: _, ...offset } = record.sourceOffset
  return { ...record, sourceOffset: { ...offset, stream_sequence: number } }
}

/** Why a response cannot be used; `retriable`: a further request may succeed. */
export class ResponseError extends Error {
  readonly retriable: boolean

  constructor(message: string, retriable: boolean, options?: ErrorOptions) {
    super(message, options)
    this.retriable = retriable
  }
}

/** RFC 9110: request timeout; RFC 6585: too many requests. */
const RETRIABLE = new Set([408, 425, 429])

/**
 * The body of a 2xx response as text, at most `maxBytes` bytes after decompression. Redirects are not followed, because
 * they would forward secret headers. Throws ResponseError, whose text contains nothing of the URL, or the signal's
 * reason.
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
    throw new ResponseError(reasonOf(cause), true, { cause })
  }
  const { ok, status, body } = response
  if (!ok) {
    await body?.cancel()
    throw new ResponseError(`HTTP ${status}`, status >= 500 || RETRIABLE.has(status))
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
        throw new ResponseError(
          `the answer is larger than the ${maxBytes} bytes that are left of backfill.max.bytes`,
          false,
        )
      chunks.push(chunk)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof ResponseError) throw cause
    throw new ResponseError(reasonOf(cause), true, { cause })
  }
  return Buffer.concat(chunks).toString()
}

/**
 * fetch reports `fetch failed` and the actual error as its cause, whose text may contain the host but never the path.
 */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  const code = (cause as NodeJS.ErrnoException).code
  return `${message}: ${cause.message || (code ?? cause.name)}`
}
