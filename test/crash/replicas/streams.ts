import type { SourceOffset } from '@tributary/connect-api'

const TICK_MS = 10
/** Messages of one write to one call; what a call is behind comes with the ticks that follow. */
const CHUNK_MESSAGES = 200

export interface Load {
  /** Numbers that come into being each second, whoever reads them. */
  readonly rate: number
  /** Bytes of text beside the number. */
  readonly payloadBytes?: number
  /** Nothing can be read again: whatever a call asks for, it gives what comes into being after it. */
  readonly live?: boolean
}

/** One call, or connection, that a client made; its number is in every message that it got. */
export interface Call {
  readonly number: number
  readonly stream: string
  /** The first number that it gives. */
  readonly from: number
  open: boolean
  /** ms of performance.now(). */
  readonly openedAt: number
  /** Infinity while it is open. */
  closedAt: number
}

export interface NumberMessage {
  readonly stream: string
  readonly sequence: number
  readonly call: number
  readonly payload: string
}

/** A call as its server sees it. */
export interface Pipe {
  /** Tells the client that it is served. */
  answer(): void
  write(messages: readonly NumberMessage[]): void
  /** False while its receiver must be waited for. */
  ready(): boolean
}

interface OpenCall extends Call {
  readonly pipe: Pipe
  next: number
}

/**
 * Many logs of numbers 1, 2, 3, … that grow at their own pace; a call gives one of them, from a number on. Every message
 * carries the number of its call, so that whoever reads the topic sees by which connection, and so by which run of a task,
 * each record came. One timer serves all calls. A server makes a source of it.
 */
export abstract class Streams {
  /** Folder of the service in apps/ that reads it. */
  abstract readonly app: 'grpc-ingest' | 'ws-ingest'
  /** All calls so far, in the order in which they came. */
  readonly calls: Call[] = []
  readonly #open = new Set<OpenCall>()
  readonly #loads = new Map<string, Load & { readonly since: number; readonly payload: string }>()
  readonly #timer: NodeJS.Timeout
  /** Calls that wait for their answer; null: they are answered at once. */
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

  /** Of the connector that reads the stream; where to, and its name, are left to the caller. */
  abstract config(stream: string): Record<string, string>

  /** The number of the last record whose offset this is; 0 without one. */
  abstract committed(stream: string, offset: SourceOffset | null): number

  /** The stream's log begins now; at a moment of its own, so that not all streams are due at once. */
  add(stream: string, load: Load): void {
    const since = performance.now() + (this.#loads.size % 10) * (TICK_MS + 1)
    this.#loads.set(stream, { ...load, since, payload: 'x'.repeat(load.payloadBytes ?? 50) })
  }

  /** The highest number that there is; 0: none yet. */
  head(stream: string): number {
    const { since, rate } = this.#loads.get(stream)!
    return Math.max(0, Math.floor(((Math.min(performance.now(), this.#endedAt) - since) * rate) / 1000))
  }

  /** The longest time in ms that it sent nothing at all since this was asked last: nobody else's fault. */
  takeLongestPause(): number {
    const longest = Math.round(this.#longestPause)
    this.#longestPause = 0
    return longest
  }

  /** Calls of one stream so far. */
  callsOf(stream: string): Call[] {
    return this.calls.filter((call) => call.stream === stream)
  }

  /** A write to the stream waits for its receiver. */
  blocked(stream: string): boolean {
    return [...this.#open].some((call) => call.stream === stream && !call.pipe.ready())
  }

  /** Calls that come from now on get no answer, as from a server that is slow, until `answer`. */
  hold(): void {
    this.#held ??= []
  }

  answer(): void {
    for (const answer of this.#held?.splice(0) ?? []) answer()
    this.#held = null
  }

  /** The logs grow no more. */
  end(): void {
    this.#endedAt = Math.min(this.#endedAt, performance.now())
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** A client wants `stream` from `from` on; answers what is to be called when the call is over. */
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
