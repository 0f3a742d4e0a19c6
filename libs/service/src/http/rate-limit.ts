import { isIPv6 } from 'node:net'
import { isLoopback } from '../bind.ts'

/** Callers whose counts are kept. Beyond, the caller that was silent for longest is forgotten. */
const MAX_CALLERS = 10_000

interface Bucket {
  tokens: number
  at: number
}

/** A token bucket for each caller: `perSecond` on average, and `burst` at once. */
export class RateLimit {
  readonly #perMs: number
  readonly #burst: number
  readonly #now: () => number
  /** The callers in the order of their last requests. */
  readonly #buckets = new Map<string, Bucket>()

  /** `now`: monotonic, in ms. */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#now = now
  }

  /** Takes one from the caller's bucket. Returns 0, or the time in ms until there is one. */
  take(caller: string): number {
    const bucket = this.#bucketOf(caller)
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#perMs
    bucket.tokens--
    return 0
  }

  /** As `take`, but takes nothing. */
  wait(caller: string): number {
    const bucket = this.#buckets.get(caller)
    if (bucket === undefined) return 0
    this.#fill(bucket)
    return bucket.tokens < 1 ? (1 - bucket.tokens) / this.#perMs : 0
  }

  #bucketOf(caller: string): Bucket {
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#burst, at: this.#now() }
    this.#fill(bucket)
    this.#buckets.delete(caller)
    this.#buckets.set(caller, bucket)
    if (this.#buckets.size > MAX_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value!)
    return bucket
  }

  #fill(bucket: Bucket): void {
    const now = this.#now()
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs)
    bucket.at = now
  }
}

/** One caller has a whole /64 of IPv6 addresses. An IPv4 address may stand in an IPv6 one. */
export function callerOfAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address) || isLoopback(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ? tail.split(':') : [])]
  return `${all.slice(0, 4).join(':')}::/64`
}
