import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import { ACCEPT_ENCODING, FramingError, lengthPrefixed, MessageDecoder } from './message-decoder.ts'
import type { MessageRun } from './message-run.ts'
import { Deadline, timeoutHeader } from './deadline.ts'
import { ForeignAnswer } from './foreign-answer.ts'
import { METADATA_TOO_LARGE, reasonOfHttp2 } from './limits.ts'
import { type GrpcStatus, localStatus, statusOfReset, statusOfTrailers } from './status.ts'

/** ms for the body of an answer that is not gRPC. It may have no end. */
const FOREIGN_BODY_MS = 500

export interface CallRequest {
  /** `/package.Service/Method` */
  readonly path: string
  readonly authority: string
  readonly scheme: 'http' | 'https'
  /** The request metadata as HTTP/2 headers; binary values are in base64 already. */
  readonly metadata: Readonly<Record<string, string | readonly string[]>>
  /** The first request message. */
  readonly message: Uint8Array
  /** Whether the client's side stays open, for a bidirectional method; by default the first message is the only one. */
  readonly keepOpen?: boolean
  /** ms after which the call ends with DEADLINE_EXCEEDED, and which is sent to the server; 0: none. */
  readonly deadlineMs: number
  readonly maxMessageBytes: number
}

export interface CallListener {
  /** The server has answered; messages follow. Not called for a response that is only a status. */
  onHeaders(headers: IncomingHttpHeaders): void
  /** The messages of one read, or some of them. */
  onMessages(messages: MessageRun): void
  /** Called once, after the last message. */
  onEnd(status: GrpcStatus): void
}

/** The connection of a call. */
export interface ConnectionState {
  /** Nothing comes any more, or the server has said so. */
  readonly lost: boolean
  /** Why, as far as the connection itself knows. */
  readonly lostBecause: string | null
}

/**
 * One server-streaming or bidirectional call on the HTTP/2 of Node. @grpc/grpc-js is not used: it drops the messages behind a paused
 * reader when the call ends with an error status (docs/decisions/42-own-grpc-client.md).
 */
export class ServerStreamCall {
  readonly #stream: ClientHttp2Stream
  readonly #listener: CallListener
  readonly #maxMessageBytes: number
  readonly #connection: ConnectionState
  readonly #deadline: Deadline | undefined
  #decoder: MessageDecoder | null = null
  /** Data that came with the headers of the answer: Node tells of headers a tick later than of data. */
  #early: Buffer[] = []
  #trailers: IncomingHttpHeaders | null = null
  #foreign: ForeignAnswer | null = null
  #foreignTimer: NodeJS.Timeout | undefined
  #error: NodeJS.ErrnoException | null = null
  #ended = false

  constructor(session: ClientHttp2Session, request: CallRequest, listener: CallListener, connection: ConnectionState) {
    this.#listener = listener
    this.#maxMessageBytes = request.maxMessageBytes
    this.#connection = connection
    this.#stream = session.request({
      ':method': 'POST',
      ':scheme': request.scheme,
      ':authority': request.authority,
      ':path': request.path,
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'tributary-grpc-ingest',
      'grpc-accept-encoding': ACCEPT_ENCODING,
      ...(request.deadlineMs > 0 ? { 'grpc-timeout': timeoutHeader(request.deadlineMs) } : {}),
      ...request.metadata,
    })
    this.#stream.on('response', (headers, flags) => this.#answered(headers, flags))
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      this.#trailers = trailers
    })
    this.#stream.on('end', () => {
      // Without trailers the code of the reset gives the reason; it is known at 'close'.
      if (this.#trailers) this.#finished()
      else if (request.keepOpen) this.#stream.end()
    })
    this.#stream.on('close', () => this.#finished())
    // 'close' follows, and ends the call.
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error
    })
    this.#stream.on('frameError', (_type, code) => {
      // Else a GOAWAY has overtaken the request, and 'close' tells.
      if (code === constants.NGHTTP2_FRAME_SIZE_ERROR) this.finish(localStatus('INTERNAL', METADATA_TOO_LARGE))
    })
    if (request.deadlineMs > 0) {
      this.#deadline = new Deadline(request.deadlineMs, () => {
        this.finish(localStatus('DEADLINE_EXCEEDED', `the deadline of ${request.deadlineMs} ms is over`))
      })
    }
    if (request.keepOpen) this.#stream.write(lengthPrefixed(request.message))
    else this.#stream.end(lengthPrefixed(request.message))
  }

  /** Sends one more request message, unless the server has yet to take the last ones. Only with `keepOpen`. */
  send(message: Uint8Array): void {
    if (this.#ended || !this.#stream.writable || this.#stream.writableNeedDrain) return
    this.#stream.write(lengthPrefixed(message))
  }

  /** Stops reading. When the HTTP/2 window is used up, the writes of the server block. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /**
   * Delivers the messages that have arrived, cancels the call and ends with `status`. Does nothing when the call has
   * ended.
   */
  finish(status: GrpcStatus): void {
    if (this.#ended) return
    this.#handOutRest()
    this.#end(status)
  }

  /** Ends at once. The listener is not called any more. */
  abandon(): void {
    this.#ended = true
    this.#close()
  }

  #answered(headers: IncomingHttpHeaders & IncomingHttpStatusHeader, flags: number): void {
    if (this.#ended) return
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.#trailers = headers
      if ((headers[':status'] ?? 200) !== 200) this.#foreign = new ForeignAnswer(headers)
      return
    }
    if (ForeignAnswer.is(headers)) {
      this.#foreign = new ForeignAnswer(headers)
      this.#foreignTimer = setTimeout(() => this.#finished(), FOREIGN_BODY_MS)
      return this.#readEarly()
    }
    try {
      const encoding = headers['grpc-encoding']
      this.#decoder = new MessageDecoder(this.#maxMessageBytes, typeof encoding === 'string' ? encoding : 'identity')
    } catch (error) {
      this.#end(statusOfFraming(error))
      return
    }
    this.#listener.onHeaders(headers)
    this.#readEarly()
  }

  #readEarly(): void {
    for (const chunk of this.#early.splice(0)) this.#read(chunk)
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return
    if (this.#decoder === null) {
      if (this.#foreign === null) this.#early.push(chunk)
      else if (this.#foreign.add(chunk)) this.#finished()
      return
    }
    const runs: MessageRun[] = []
    let failure: GrpcStatus | null = null
    try {
      this.#decoder.push(chunk, runs)
    } catch (error) {
      failure = statusOfFraming(error)
    }
    for (const run of runs) this.#listener.onMessages(run)
    if (failure) this.#end(failure)
  }

  /** Delivers the data that Node holds of a paused or broken stream: a complete message is never dropped. */
  #handOutRest(): void {
    this.#stream.removeAllListeners('data')
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null
      if (chunk === null) return
      this.#read(chunk)
    }
  }

  #finished(): void {
    if (this.#ended) return
    this.#handOutRest()
    if (this.#ended) return
    const received = this.#trailers && statusOfTrailers(this.#trailers)
    if (received) this.#end(this.#decoder?.pendingBytes ? cutStatus(received) : received)
    else if (this.#foreign) this.#end(this.#foreign.status())
    else this.#end(this.#broken())
  }

  /** The status of a stream that ended without trailers. */
  #broken(): GrpcStatus {
    const cut = this.#decoder?.pendingBytes ? ' in the middle of a message' : ''
    const { lost, lostBecause } = this.#connection
    const error = this.#error
    const reset = !lost || error?.code === 'ERR_HTTP2_STREAM_ERROR'
    if (reset && lostBecause === null) return statusOfReset(this.#stream.rstCode, cut)
    const why = lostBecause ?? (error === null ? 'the server closed it' : reasonOfHttp2(error))
    return localStatus('UNAVAILABLE', `the connection was dropped${cut}: ${why}`)
  }

  #end(status: GrpcStatus): void {
    if (this.#ended) return
    this.#ended = true
    this.#close()
    this.#listener.onEnd(status)
  }

  #close(): void {
    this.#deadline?.clear()
    clearTimeout(this.#foreignTimer)
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL)
    // A paused stream would keep its last bytes, and therefore itself, without end.
    this.#stream.resume()
  }
}

/** The status of a stream whose last message is not complete. OK would say that nothing is missing. */
function cutStatus(received: GrpcStatus): GrpcStatus {
  const cut = 'the server ended the stream in the middle of a message'
  if (received.status === 'OK') return localStatus('INTERNAL', `${cut}, with the status OK`)
  return { ...received, message: received.message === '' ? cut : `${received.message} (${cut})` }
}

function statusOfFraming(error: unknown): GrpcStatus {
  if (error instanceof FramingError) return error.status
  throw error
}
