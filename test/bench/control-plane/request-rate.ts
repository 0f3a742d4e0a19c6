import autocannon from 'autocannon'
import { quantile } from '../support/table.ts'

export interface RequestRate {
  readonly name: string
  readonly requests: number
  /** Answers that were not 200, broken connections and timeouts. */
  readonly failed: number
  /** Time from the write of a request to the last byte of its answer, in ms. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface RequestRateOptions {
  readonly name: string
  readonly url: string
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
  /** Of each request. */
  readonly headers?: Readonly<Record<string, string>>
}

const CONNECTIONS = 10

/**
 * GETs one URL at a rate, by autocannon. autocannon sends the requests of each second at the beginning of that second.
 * A connection sends its next request only after the answer to the one before, so a slow server gets less than the
 * rate; `requests` shows the real one. Quantiles are of the measured times, without autocannon's estimate for requests
 * that were not sent.
 */
export async function requestRate({
  name,
  url,
  rate,
  seconds,
  headers = {},
}: RequestRateOptions): Promise<RequestRate> {
  const options = { url, headers, connections: CONNECTIONS, overallRate: rate, ignoreCoordinatedOmission: true }
  await autocannon({ ...options, duration: 2 })
  const times: number[] = []
  const run = autocannon({ ...options, duration: seconds })
  run.on('response', (_client, _status, _bytes, responseTimeMs) => times.push(responseTimeMs))
  const { non2xx, errors, timeouts } = await run
  times.sort((a, b) => a - b)
  return {
    name,
    requests: times.length,
    failed: non2xx + errors + timeouts,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    p999: quantile(times, 0.999),
    max: times.at(-1) ?? NaN,
  }
}
