import type { SourceOffset } from '@tributary/connect-api'

const TICK_MS = 10
/** Most messages of one write to one call. A call that is further behind gets the rest with the next ticks. */
const CHUNK_MESSAGES = 200

export interface Load {
  /** Numbers that the stream gets each second, whether or not anybody reads them. */
  readonly rate: number
  /** Bytes of text besides the number. */
  readonly payloadBytes?: number
  /** True: nothing can be read again. A call gets the numbers that follow its start, whatever it asks for. */
  readonly live?: boolean
}

/** One call, or connection, of a client. Every message of the call contains its number. */
export interface Call {
  readonly number: number
  readonly stream: string
  /** The first number that the call sends. */
  readonly from: number
  open: boolean
  /** In ms of performance.now(). */
  readonly openedAt: number
  /** Infinity while the call is open. */
  closedAt: number
}

export interface NumberMessage {
  readonly stream: string
  readonly sequence: number
  readonly call: number
  readonly payload: string
}

/** The server's side of a call. */
export interface Pipe {
  /** Answers the call. */
  answer(): void
  write(messages: readonly NumberMessage[]): void
  /** False while the server must wait for the receiver. */
  ready(): boolean
}

interface OpenCall extends Call {
  readonly pipe: Pipe
  next: number
}

/**
 * Many logs of numbers 1, 2, 3, … that grow at their own pace. A call sends one of them, from a given number on. Every
 * message contains the number of its call. So a reader of the topic knows from which connection, and from which run of
 * a task, each record came. One timer serves all calls. A server class makes a source of these streams.
 */
export abstract class Streams {
  /** Folder in apps/ of the service that reads this source. */
  abstract readonly app: 'grpc-ingest' | 'ws-ingest'
  /** All calls so far, in order. */
  readonly calls: Call[] = []
  readonly #open = new Set<OpenCall>()
  readonly #loads = new Map<string, Load & { readonly since: number; readonly payload: string }>()
  readonly #timer: NodeJS.Timeout
  /** Calls that wait for their answer; null: calls are answered at once. */
  #held: (() => void)[] | null = null
  #endedAt = Infinity
  #tickedAt = performance.now()
  #longestPause = 0

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#longestPause = Math.max(this.#longestPause, now - this.#tickedAt)
      this.#tickedAt = now
      for (const call of this.#open) this.#write(call)
    }, TICK_MS)
  }

  /** The configuration of a connector that reads the stream, without its name and topic. */
  abstract config(stream: string): Record<string, string>

  /** The number of the last record that the offset covers; 0 without an offset. */
  abstract committed(stream: string, offset: SourceOffset | null): number

  /** Starts the stream's log now, at a phase of its own, so that the streams do not all send at the same moment. */
  add(stream: string, load: Load): void {
    const since = performance.now() + (this.#loads.size % 10) * (TICK_MS + 1)
    this.#loads.set(stream, { ...load, since, payload: 'x'.repeat(load.payloadBytes ?? 50) })
  }

  /** The highest number of the stream so far; 0: none yet. */
  head(stream: string): number {
    const { since, rate } = this.#loads.get(stream)!
    return Math.max(0, Math.floor(((Math.min(performance.now(), this.#endedAt) - since) * rate) / 1000))
  }

  /**
   * The longest time in which the source sent nothing at all since the last call of this function, in ms. Such a pause
   * is not the fault of the tested services.
   */
  takeLongestPause(): number {
    const longest = Math.round(this.#longestPause)
    this.#longestPause = 0
    return longest
  }

  /** The calls of one stream so far. */
  callsOf(stream: string): Call[] {
    return this.calls.filter((call) => call.stream === stream)
  }

  /** Whether a write to the stream waits for its receiver. */
  blocked(stream: string): boolean {
    return [...this.#open].some((call) => call.stream === stream && !call.pipe.ready())
  }

  /** Leaves new calls without an answer, like a slow server, until `answer`. */
  hold(): void {
    this.#held ??= []
  }

  answer(): void {
    for (const answer of this.#held?.splice(0) ?? []) answer()
    this.#held = null
  }

  /** Ends the growth of all logs. */
  end(): void {
    this.#endedAt = Math.min(this.#endedAt, performance.now())
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** A client wants `stream` from `from` on. Returns a function to call when the call has ended. */
  protected begin(stream: string, from: number, pipe: Pipe): () => void {
    const first = this.#loads.get(stream)!.live === true ? this.head(stream) + 1 : Math.max(from, 1)
    const number = this.calls.length + 1
    const call: OpenCall = {
      ...{ number, stream, from: first, next: first, pipe },
      open: true,
      openedAt: performance.now(),
      closedAt: Infinity,
    }
    this.calls.push(call)
    const answer = (): void => {
      if (!call.open) return
      this.#open.add(call)
      pipe.answer()
    }
    if (this.#held) this.#held.push(answer)
    else answer()
    return () => {
      call.open = false
      call.closedAt = performance.now()
      this.#open.delete(call)
    }
  }

  #write(call: OpenCall): void {
    if (!call.pipe.ready()) return
    const to = Math.min(this.head(call.stream), call.next + CHUNK_MESSAGES - 1)
    if (to < call.next) return
    const { payload } = this.#loads.get(call.stream)!
    const messages: NumberMessage[] = []
    for (; call.next <= to; call.next++) {
      messages.push({ stream: call.stream, sequence: call.next, call: call.number, payload })
    }
    call.pipe.write(messages)
  }
}
