/** One invented price. */
export interface Quote {
  readonly sequence: number
  readonly symbol: string
  readonly bid: number
  readonly ask: number
  /** ms since the epoch, with fractions. */
  readonly sentAtMs: number
  readonly padding: string
}

export interface QuoteRequest {
  readonly symbols: readonly string[]
  readonly padding: string
}

export const DEFAULT_SYMBOLS: readonly string[] = ['EURUSD', 'GBPUSD', 'USDJPY', 'USDCHF']

/** The quote with this sequence number (≥ 1). It is always the same, except for its time. */
export function quoteOf(request: QuoteRequest, sequence: number, sentAtMs: number): Quote {
  const { symbols, padding } = request
  const symbol = symbols[(sequence - 1) % symbols.length]!
  // Knuth's multiplicative hash is cheap, and consecutive numbers have different hashes.
  const noise = (Math.imul(sequence, 2654435761) >>> 16) % 2001
  const bid = Math.round((1 + symbol.length / 10 + (noise - 1000) / 1e5) * 1e5) / 1e5
  return { sequence, symbol, bid, ask: Math.round((bid + 0.0002) * 1e5) / 1e5, sentAtMs, padding }
}

/** The quote as its clients of WebSocket and of SQS get it. */
export function jsonOf({ sequence, symbol, bid, ask, sentAtMs, padding }: Quote): string {
  return JSON.stringify({ sequence, symbol, bid, ask, sentAt: new Date(sentAtMs).toISOString(), padding })
}
