import { GrpcError, type Method, type ServerCall, Status } from './grpc-server.ts'
import { nowMs, OpenLoop } from './open-loop.ts'
import { QuoteEncoder } from './quote-encoder.ts'
import { DEFAULT_SYMBOLS, quoteOf, type QuoteRequest } from './quotes.ts'
import { feedSchema } from './schema.ts'

/** The largest piece that is written at once. Several pieces fit a client's window. */
const BATCH_BYTES = 32 * 1024
export const MAX_PADDING_BYTES = 64 * 1024 * 1024

interface StreamRequest extends QuoteRequest {
  readonly rate: number
  readonly from: number
  /** Infinity: the stream is endless. */
  readonly last: number
}

const requestType = feedSchema.lookupType('tributary.demo.v1.StreamQuotesRequest')

/** `/tributary.demo.v1.MarketData/StreamQuotes` */
export const streamQuotes: Method = async (requests, call) => {
  for await (const bytes of requests) {
    const request = parse(bytes)
    if (request.rate === 0) await atFullSpeed(request, call)
    else await atRate(request, call)
    return
  }
  throw new GrpcError(Status.INVALID_ARGUMENT, 'no request came')
}

function parse(bytes: Uint8Array): StreamRequest {
  const request = requestType.toObject(requestType.decode(bytes), { defaults: true, arrays: true, longs: Number })
  const {
    symbols,
    rate_per_second: rate,
    from_sequence: from,
    payload_bytes: padding,
    last_sequence: last,
  } = request as {
    symbols: string[]
    rate_per_second: number
    from_sequence: number
    payload_bytes: number
    last_sequence: number
  }
  if (padding > MAX_PADDING_BYTES) {
    throw new GrpcError(
      Status.INVALID_ARGUMENT,
      `payload_bytes is ${padding}, at most ${MAX_PADDING_BYTES} are allowed`,
    )
  }
  return {
    symbols: symbols.length > 0 ? symbols : DEFAULT_SYMBOLS,
    padding: 'x'.repeat(padding),
    rate,
    from: Math.max(1, from),
    last: last === 0 ? Infinity : last,
  }
}

async function atFullSpeed(request: StreamRequest, call: ServerCall): Promise<void> {
  const encoder = new QuoteEncoder(BATCH_BYTES * 2)
  for (let sequence = request.from; sequence <= request.last;) {
    const sentAt = nowMs()
    const first = sequence
    while (sequence <= request.last && encoder.byteCount < BATCH_BYTES) {
      encoder.add(quoteOf(request, sequence++, sentAt))
    }
    await call.write(encoder.take(), sequence - first)
  }
}

async function atRate(request: StreamRequest, call: ServerCall): Promise<void> {
  const loop = new OpenLoop(request.rate)
  const encoder = new QuoteEncoder()
  for (let sequence = request.from; sequence <= request.last;) {
    await loop.due(sequence - request.from, call.closed)
    const now = nowMs()
    const first = sequence
    for (; sequence <= request.last && encoder.byteCount < BATCH_BYTES; sequence++) {
      const dueAt = loop.dueAt(sequence - request.from)
      if (dueAt > now) break
      encoder.add(quoteOf(request, sequence, dueAt))
    }
    await call.write(encoder.take(), sequence - first)
  }
}
