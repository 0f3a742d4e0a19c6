import { serverOf, keepaliveTimeMs } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'

/** Above the five minutes between two PINGs that servers allow by default. */
const SLOW_MS = 360_000
/** Servers to remember: more than one process reads from. */
const MAX_SERVERS = 1000

/**
 * What servers have taught about PINGs. A server that ends a connection with too_many_pings gets half as many (gRFC A8), and no more
 * than the usual policy allows, since each lesson costs a connection. A lesson outlives the run of a task: it holds for the server
 * until this process ends.
 */
export class KeepaliveLessons {
  /** ms by `host:port`. The oldest lesson is first. */
  readonly #atLeastMs = new Map<string, number>()

  /** ms without data before a PING to the server of the configuration; ≤ 0: off. */
  timeMs(config: GrpcConfig): number {
    const wishedMs = keepaliveTimeMs(config)
    return wishedMs <= 0 ? 0 : Math.max(wishedMs, this.#atLeastMs.get(serverOf(config)) ?? 0)
  }

  /** The server complained about PINGs at intervals of `timeMs`. Returns the new interval. */
  tooMany(config: GrpcConfig, timeMs: number): number {
    const server = serverOf(config)
    const slower = Math.max(2 * timeMs, SLOW_MS)
    this.#atLeastMs.delete(server)
    this.#atLeastMs.set(server, slower)
    if (this.#atLeastMs.size > MAX_SERVERS) this.#atLeastMs.delete(this.#atLeastMs.keys().next().value!)
    return slower
  }
}

/** The lessons of this process. */
export const keepaliveLessons = new KeepaliveLessons()
