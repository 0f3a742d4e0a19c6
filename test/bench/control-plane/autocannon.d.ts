/** The part of autocannon 9.0.0 that is used here; the package brings no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export interface Options {
    readonly url: string
    readonly connections: number
    /** s */
    readonly duration: number
    /** Requests a second over all connections. */
    readonly overallRate: number
    /** Switches off the estimate of what requests that were not sent in time would have waited. */
    readonly ignoreCoordinatedOmission: boolean
  }
  export interface Result {
    readonly '2xx': number
    readonly non2xx: number
    /** Of connections. */
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
