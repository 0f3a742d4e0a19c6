import { parseJson, parseKeyValueList } from '@tributary/config'
import { type Clock, ConfigError, type FieldError, type SourceRecord } from '@tributary/connect-api'
import {
  AnswerTooLarge,
  exchange,
  plus,
  type ProxyOptions,
  readTls,
  reasonOf,
  type SequenceNumber,
  type SequenceRange,
  spanOf,
  type TlsSettings,
} from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import { backfillTls } from '../config/sequence-keys.ts'
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
/** RFC 9110: request timeout; RFC 6585: too many requests. */
const RETRIABLE = new Set([408, 425, 429])

/** Requests missing messages over HTTP. */
export class Backfill {
  readonly #url: Template
  readonly #headers: Readonly<Record<string, string>>
  readonly #proxy: ProxyOptions | null
  readonly #tls: TlsSettings
  readonly #read: JsonPath
  readonly #names: readonly string[]

  /** Throws ConfigError. */
  constructor(config: WebSocketConfig) {
    this.#url = urlTemplate(config['backfill.url'] ?? '')
    this.#headers = headersOf(config['backfill.headers'] ?? '')
    const proxy = config['backfill.proxy.url']
    this.#proxy = proxy === null ? null : { url: new URL(proxy) }
    this.#tls = backfillTls.settings(config)
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
    const text = await this.#get(url, budget)
    budget.bytes -= Buffer.byteLength(text)
    return this.#itemsOf(text)
  }

  /**
   * The body of a 2xx response as text. Redirects are not followed, because they would forward secret headers. Throws
   * ResponseError, whose text contains nothing of the URL but the host, or the signal's reason.
   */
  async #get(url: string, { bytes, signal }: Budget): Promise<string> {
    const request = { url, method: 'GET', headers: this.#headers, body: '', maxBytes: bytes }
    try {
      // Read for each request: files of certificates are renewed.
      const { status, text } = await exchange(
        request,
        { tls: await readTls(this.#tls, signal), proxy: this.#proxy },
        signal,
      )
      if (status >= 200 && status < 300) return text
      throw new ResponseError(`HTTP ${status}`, status >= 500 || RETRIABLE.has(status))
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof ResponseError) throw cause
      if (cause instanceof AnswerTooLarge) {
        throw new ResponseError(
          `the answer is larger than the ${bytes} bytes that are left of backfill.max.bytes`,
          false,
          { cause },
        )
      }
      throw new ResponseError(reasonOf(cause), !(cause instanceof ConfigError), { cause })
    }
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

/** Names in lower case. */
function headersOf(text: string): Record<string, string> {
  const headers = new Headers({ accept: 'application/json', 'user-agent': 'tributary' })
  const given = new Headers()
  for (const [name, value] of parseKeyValueList(text)) {
    try {
      given.append(name, value)
    } catch {
      // The text of the original error contains the value.
      throw wsErrors.BACKFILL_HEADER('Invalid backfill.headers: a name or a value that no header may have', {
        field: 'backfill.headers',
      })
    }
  }
  given.forEach((value, name) => headers.set(name, value))
  return Object.fromEntries(headers)
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
