import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { type ConnectError, type DeadLetter, letterHeader, offsetOrFormer, redelivered, type Props, type SourceOffset, type SourcePartition, type SourceRecord, type TaskContext, writtenText } from '@tributary/connect-api' // prettier-ignore
import { type BodyReader, bodyReader } from '@tributary/converters/body'
import { HttpSource, type PushConnection, type PushSink, type PushSource, readTls, RenewedTls } from '@tributary/push-source' // prettier-ignore
import { sseErrors } from './errors.ts'
import { request, type SseConfig, sseSpec, tls, TOPIC_PREFIX } from './spec.ts'

export function partitionOf(config: SseConfig, written?: Props): SourcePartition {
  return { sse_url: writtenText(written, 'sse.url', config['sse.url']) }
}

/** Whether a header can carry the id (RFC 9110, section 5.5). Else the id before it stays in force, so the server sends again. */
const isSendable = (id: string | undefined): id is string => id !== undefined && /^[\t\x20-\x7e\x80-\uffff]*$/.test(id)

/** The id in a committed offset; empty if there is none. Throws ConfigError. */
export function idIn(offset: SourceOffset | null): string {
  const id = String(offset?.['last_event_id'] ?? '')
  if (isSendable(id)) return id
  throw sseErrors.SSE_OFFSET('last_event_id has characters that no header can carry')
}

/** One stream of events: connects after the last event id, and makes a record of each event. */
export class SseStream implements PushSource<EventSourceMessage> {
  readonly #config: SseConfig
  readonly #http: HttpSource
  readonly #topics: Readonly<Record<string, string>>
  readonly #partition: SourcePartition
  /** null: the data of an event stays text. */
  readonly #body: BodyReader | null
  readonly #tls: RenewedTls<Awaited<ReturnType<typeof readTls>>>
  /** Id of the last event received; before that, the committed id. The next request carries it as Last-Event-ID. */
  #lastId: string
  /** Id of the last event that became a record. */
  #recordId: string

  constructor(config: SseConfig, context: TaskContext) {
    this.#config = config
    const headers = request.headers(config, context.config)
    this.#http = new HttpSource({ prefix: 'sse', url: config['sse.url'], accept: 'text/event-stream', headers })
    this.#topics = sseSpec.prefixed(context.config, TOPIC_PREFIX)
    this.#partition = partitionOf(config, context.written)
    this.#body = bodyReader(config, context.config)
    this.#tls = new RenewedTls(() => readTls(tls.settings(config)), context.log)
    this.#recordId = this.#lastId = idIn(offsetOrFormer(context, this.#partition, partitionOf(config)))
  }

  resumes(): boolean {
    return this.#lastId !== ''
  }

  async connect(sink: PushSink<EventSourceMessage>, signal: AbortSignal): Promise<PushConnection> {
    await this.#body?.connect(signal)
    // Node writes a header as Latin-1, and the standard wants the id in UTF-8.
    const resume = this.resumes() ? { 'last-event-id': Buffer.from(this.#lastId).toString('latin1') } : {}
    const response = await this.#http.open(resume, await this.#tls.options(), signal)
    const end = (error: ConnectError): void => {
      response.destroy()
      sink.ended(error)
    }
    const ended = (why: string): void => end(sseErrors.SSE_ENDED(why, { retryAfterMs: this.#http.retryMs }))
    const idleMs = this.#config['sse.idle.timeout.ms']
    const mute = (): unknown => response.isPaused() || ended(`nothing came for ${idleMs} ms (sse.idle.timeout.ms)`)
    response.setTimeout(idleMs, mute)
    response.on('end', () => ended('the server ended the stream'))
    response.on('error', (error) => ended(`the stream broke off: ${error.message}`))
    const limit = this.#config['sse.max.event.bytes']
    const tooLarge = (): void =>
      end(sseErrors.SSE_EVENT_TOO_LARGE(`an event is larger than ${limit}`, { field: 'sse.max.event.bytes' }))
    const parser = createParser({
      // The buffer holds the line, with its name.
      maxBufferSize: limit + 'data: '.length,
      onId: (id) => {
        if (!response.destroyed && isSendable(id)) this.#lastId = id
      },
      onEvent: (event) => {
        if (response.destroyed) return
        const bytes = Buffer.byteLength(event.data)
        if (bytes > limit) return tooLarge()
        if (this.#config['sse.require.ids'] && !(event.id && isSendable(event.id))) {
          return end(sseErrors.SSE_EVENT_ID('the server sent an event without an id that a header can carry', { field: 'sse.require.ids' })) // prettier-ignore
        }
        sink.push(event, bytes)
      },
      onRetry: (ms) => (this.#http.retryMs = ms),
      onError: ({ type }) => type === 'max-buffer-size-exceeded' && tooLarge(),
    })
    // A stream that was paused hands over what it has buffered even once it is destroyed.
    response.setEncoding('utf8').on('data', (text: string) => response.destroyed || parser.feed(text))
    const resumed = (): void => void response.setTimeout(idleMs).resume()
    return { pause: () => response.pause(), resume: resumed, close: () => response.destroy() }
  }

  record({ id, event, data }: EventSourceMessage): SourceRecord {
    if (isSendable(id)) this.#recordId = id
    return this.#recordOf({ id, event, data }, this.#recordId)
  }

  redeliver(letter: DeadLetter): SourceRecord {
    this.#body?.check()
    const id = letterHeader(letter, 'sse.id') ?? undefined
    const event = letterHeader(letter, 'sse.event') ?? undefined
    const record = this.#recordOf({ id, event, data: Buffer.from(letter.value ?? []).toString() }, id ?? '')
    if (record.error !== undefined) throw record.error
    return redelivered(record, letter)
  }

  #recordOf({ id, event, data }: EventSourceMessage, lastId: string): SourceRecord {
    const headers = Object.entries({ 'sse.id': id, 'sse.event': event })
    const record: SourceRecord = {
      sourcePartition: this.#partition,
      sourceOffset: { last_event_id: lastId },
      topic: this.#topics[event ?? ''] ?? this.#config['kafka.topic'],
      key: null,
      value: data,
      headers: headers.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
      timestamp: null,
    }
    return this.#body === null ? record : this.#body.apply(record)
  }
}
