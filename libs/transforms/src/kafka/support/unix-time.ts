export type Precision = 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds'

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/** ms of a number of `precision`, as java.util.concurrent.TimeUnit converts: towards 0, and as near as a long can be. */
export function dateOfUnix(unix: bigint, precision: Precision): number {
  switch (precision) {
    case 'seconds':
      return Number(saturated(unix * 1000n))
    case 'microseconds':
      return Number(unix / 1000n)
    case 'nanoseconds':
      return Number(unix / 1_000_000n)
    default:
      return Number(unix)
  }
}

/** The inverse of `dateOfUnix`. */
export function unixOfDate(ms: number, precision: Precision): bigint {
  switch (precision) {
    case 'seconds':
      return BigInt(Math.trunc(ms / 1000))
    case 'microseconds':
      return saturated(BigInt(ms) * 1000n)
    case 'nanoseconds':
      return saturated(BigInt(ms) * 1_000_000n)
    default:
      return BigInt(ms)
  }
}

function saturated(value: bigint): bigint {
  if (value > LONG_MAX) return LONG_MAX
  return value < LONG_MIN ? LONG_MIN : value
}
