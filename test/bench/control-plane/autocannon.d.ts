/** The part of autocannon 9.0.0 that the benchmark uses. The package has no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export interface Options {
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly connections: number
    /** In seconds. */
    readonly duration: number
    /** Requests a second over all connections. */
    readonly overallRate: number
    /** True switches off the estimate of the latency of requests that were not sent in time. */
    readonly ignoreCoordinatedOmission: boolean
  }
  export interface Result {
    readonly '2xx': number
    readonly non2xx: number
    /** Errors of connections. */
    readonly errors: number
    readonly timeouts: number
  }
  export interface Instance extends EventEmitter<{
    response: [client: unknown, status: number, bytes: number, responseTimeMs: number]
  }> {
    then: Promise<Result>['then']
  }
  export default function autocannon(options: Options): Instance
}
