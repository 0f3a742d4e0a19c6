import { once } from 'node:events'
import { createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import protobuf from 'protobufjs'

export const STREAMS_PROTO = `
syntax = "proto3";
package crash;
message Item { string stream = 1; int64 sequence = 2; int32 call = 3; string payload = 4; }
message Ask { string stream = 1; int64 from = 2; }
service Streams { rpc Read(Ask) returns (stream Item); }
`
const { root } = protobuf.parse(STREAMS_PROTO, { keepCase: true })
const Item = root.lookupType('crash.Item')
const Ask = root.lookupType('crash.Ask')
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

/** One call that a client made; its number is in every message that it got. */
export interface Call {
  readonly number: number
  readonly stream: string
  /** The first number asked for. */
  readonly from: number
  open: boolean
  /** ms of performance.now(). */
  readonly openedAt: number
  /** Infinity while it is open. */
  closedAt: number
}

interface OpenCall extends Call {
  readonly http: ServerHttp2Stream
  next: number
  blocked: boolean
}

/**
 * A gRPC server with many logs of numbers 1, 2, 3, … that grow at their own pace, one by the name in the request; a call
 * gives the number asked for and all after it. Every message carries the number of its call, so that whoever reads the
 * topic sees by which connection, and so by which run of a task, each record came. One timer serves all calls.
 */
export class StreamsSource {
  readonly port: number
  /** All calls so far, in the order in which they came. */
  readonly calls: Call[] = []
  readonly #server: Http2Server
  readonly #sessions = new Set<Http2Session>()
  readonly #open = new Set<OpenCall>()
  readonly #loads = new Map<string, Load & { readonly since: number; readonly payload: string }>()
  readonly #timer: NodeJS.Timeout
  /** Calls that wait for their answer; null: they are answered at once. */
  #held: (() => void)[] | null = null
  #endedAt = Infinity
  #tickedAt = performance.now()
  #longestPause = 0

  private constructor(server: Http2Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
    })
    server.on('stream', (stream) => void this.#serve(stream))
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#longestPause = Math.max(this.#longestPause, now - this.#tickedAt)
      this.#tickedAt = now
      for (const call of this.#open) this.#write(call)
    }, TICK_MS)
  }

  static async listen(): Promise<StreamsSource> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new StreamsSource(server)
  }

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
    return [...this.#open].some((call) => call.stream === stream && call.blocked)
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
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
  }

  async #serve(http: ServerHttp2Stream): Promise<void> {
    http.on('error', () => http.destroy())
    const chunks: Buffer[] = []
    try {
      for await (const chunk of http) chunks.push(chunk as Buffer)
    } catch (error) {
      // A receiver that was killed is what these tests are about.
      if (http.destroyed) return
      throw error
    }
    const asked = Ask.decode(Buffer.concat(chunks).subarray(5))
    const { stream, from } = Ask.toObject(asked, { longs: Number, defaults: true }) as { stream: string; from: number }
    const first = this.#loads.get(stream)!.live === true ? this.head(stream) + 1 : Math.max(from, 1)
    const number = this.calls.length + 1
    const call: OpenCall = {
      ...{ number, stream, from: first, open: true, http, next: first, blocked: false },
      openedAt: performance.now(),
      closedAt: Infinity,
    }
    this.calls.push(call)
    http.on('close', () => {
      call.open = false
      call.closedAt = performance.now()
      this.#open.delete(call)
    })
    http.on('drain', () => (call.blocked = false))
    const answer = (): void => {
      if (http.destroyed) return
      this.#open.add(call)
      http.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
    }
    if (this.#held) this.#held.push(answer)
    else answer()
  }

  #write(call: OpenCall): void {
    if (call.blocked || call.http.destroyed) return
    const to = Math.min(this.head(call.stream), call.next + CHUNK_MESSAGES - 1)
    if (to < call.next) return
    const { payload } = this.#loads.get(call.stream)!
    const frames: Buffer[] = []
    for (; call.next <= to; call.next++) {
      const { stream, next: sequence, number } = call
      frames.push(frame(Item.encode({ stream, sequence, call: number, payload }).finish()))
    }
    call.blocked = !call.http.write(Buffer.concat(frames))
  }
}

/** A gRPC message: a byte that says uncompressed, its length, itself. */
function frame(body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}
