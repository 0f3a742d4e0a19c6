/** `degraded`: it does its work, and something needs a person. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

export interface ComponentState {
  readonly status: HealthStatus
  /** Why it is not healthy, in a sentence. Names and addresses may stand in it, and no secret. */
  readonly error?: string
  /** What else is known, for those who may see it. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** A part of the installation whose health is shown. A connector's kind may bring one, such as a database. */
export interface HealthComponent {
  /** As in `/health/{component}`. */
  readonly name: string
  /** Whether the installation has it now. */
  inUse(): boolean
  /** Looks at it. A rejection is `unhealthy`, with the message as its error; so is no answer in time. */
  check(signal: AbortSignal): Promise<ComponentState>
}

export interface ComponentReport {
  readonly status: HealthStatus
  /** How long the look took, in ms; null: it failed. */
  readonly response_time_ms: number | null
  /** Of the look, ISO 8601 in UTC. */
  readonly check_time: string
  /** Of the last look that was not `unhealthy`; null: there was none since the start. */
  readonly last_successful_check: string | null
  readonly error?: string
  readonly [field: string]: unknown
}

/** The worst of several; `healthy` of none. */
export function worst(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('unhealthy')) return 'unhealthy'
  return statuses.includes('degraded') ? 'degraded' : 'healthy'
}
