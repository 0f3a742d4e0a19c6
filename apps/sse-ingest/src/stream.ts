import type { IncomingMessage } from 'node:http'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { ConnectError, SourcePartition, SourceRecord, TaskContext } from '@tributary/connect-api'
import { openHttpStream, type PushConnection, type PushSink, type PushSource, readTls, Refusals, RenewedTls, retryAfterMs } from '@tributary/push-source' // prettier-ignore
import { sseErrors } from './errors.ts'
import { request, type SseConfig, sseSpec, tls, TOPIC_PREFIX } from './spec.ts'

export function partitionOf(config: SseConfig): SourcePartition {
  return { sse_url: config['sse.url'] }
}

/** One stream of events: connects after the last event id, and makes a record of each event. */
export class SseStream implements PushSource<EventSourceMessage> {
  readonly #config: SseConfig
  readonly #headers: Readonly<Record<string, string>>
  readonly #topics: Readonly<Record<string, string>>
  readonly #partition: SourcePartition
  readonly #tls: RenewedTls<Awaited<ReturnType<typeof readTls>>>
  readonly #refusals = new Refusals()
  /** Of the last event received, or else committed: the Last-Event-ID of the next request. */
  #lastId: string
  /** Of the last event that became a record. */
  #recordId: string
  /** The server's last `retry:`, in ms. */
  #retryMs: number | undefined

  constructor(config: SseConfig, context: TaskContext) {
    this.#config = config
    this.#headers = request.headers(config, context.config)
    this.#topics = sseSpec.prefixed(context.config, TOPIC_PREFIX)
    this.#partition = partitionOf(config)
    this.#tls = new RenewedTls(() => readTls(tls.settings(config)), context.log)
    this.#recordId = this.#lastId = String(context.offset(this.#partition)?.['last_event_id'] ?? '')
  }

  resumes(): boolean {
    return this.#lastId !== ''
  }

  async connect(sink: PushSink<EventSourceMessage>, signal: AbortSignal): Promise<PushConnection> {
    // Node writes a header as Latin-1, and the standard wants the id in UTF-8.
    const resume = this.resumes() ? { 'last-event-id': Buffer.from(this.#lastId).toString('latin1') } : {}
    const publicHeaders = { accept: 'text/event-stream', 'cache-control': 'no-store', ...resume }
    const options = {
      url: this.#config['sse.url'],
      headers: this.#headers,
      publicHeaders,
      tls: await this.#tls.options(),
    }
    const response = this.#accepted(await openHttpStream(options, signal))
    const end = (error: ConnectError): void => {
      response.destroy()
      sink.ended(error)
    }
    const ended = (why: string): void => end(sseErrors.SSE_ENDED(why, { retryAfterMs: this.#retryMs }))
    const idleMs = this.#config['sse.idle.timeout.ms']
    response.setTimeout(
      idleMs,
      () => response.isPaused() || ended(`nothing came for ${idleMs} ms (sse.idle.timeout.ms)`),
    )
    response.on('end', () => ended('the server ended the stream'))
    response.on('error', (error) => ended(`the stream broke off: ${error.message}`))
    const limit = this.#config['sse.max.event.bytes']
    const tooLarge = (): void =>
      end(sseErrors.SSE_EVENT_TOO_LARGE(`an event is larger than ${limit}`, { field: 'sse.max.event.bytes' }))
    const parser = createParser({
      maxBufferSize: limit,
      onEvent: (event) => {
        if (response.destroyed) return
        if (event.data.length > limit) return tooLarge()
        if (event.id === undefined && this.#config['sse.require.ids']) {
          return end(sseErrors.SSE_EVENT_ID('the server sent an event without an id', { field: 'sse.require.ids' }))
        }
        this.#lastId = event.id ?? this.#lastId
        sink.push(event, event.data.length)
      },
      onRetry: (ms) => (this.#retryMs = ms),
      onError: ({ type }) => type === 'max-buffer-size-exceeded' && tooLarge(),
    })
    response.setEncoding('utf8').on('data', (text: string) => parser.feed(text))
    const resumed = (): void => void response.setTimeout(idleMs).resume()
    return { pause: () => response.pause(), resume: resumed, close: () => response.destroy() }
  }

  #accepted(response: IncomingMessage): IncomingMessage {
    const { statusCode = 0, headers } = response
    if (statusCode === 200 && headers['content-type']?.startsWith('text/event-stream')) {
      this.#refusals.accepted()
      return response
    }
    response.destroy()
    const said = `${new URL(this.#config['sse.url']).host} answered ${statusCode} ${headers['content-type'] ?? ''}`
    if (statusCode === 204) throw sseErrors.SSE_NO_CONTENT(`${said}, which asks clients to stop`, { field: 'sse.url' })
    if ([401, 403, 407].includes(statusCode) && this.#refusals.refused()) {
      throw sseErrors.SSE_DENIED(`${said}, the third time in a row`, { field: 'sse.auth.token' })
    }
    throw sseErrors.SSE_STATUS(said, { retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()) })
  }

  record({ id, event, data }: EventSourceMessage): SourceRecord {
    this.#recordId = id ?? this.#recordId
    const headers = Object.entries({ 'sse.id': id, 'sse.event': event })
    return {
      sourcePartition: this.#partition,
      sourceOffset: { last_event_id: this.#recordId },
      topic: this.#topics[event ?? ''] ?? this.#config['kafka.topic'],
      key: null,
      value: data,
      headers: headers.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
      timestamp: null,
    }
  }
}
