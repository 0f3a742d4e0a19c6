import { redact } from '@tributary/telemetry'
import {
  type ComponentReport,
  type ComponentState,
  type HealthComponent,
  type HealthStatus,
  worst,
} from './component.ts'

/** A look ends after this time, in ms. All looks are at the same time, so that the answer comes within 5 s. */
const CHECK_TIMEOUT_MS = 3000
/** A report counts for so long, in ms: everybody may ask, and each look asks others. */
const FRESH_MS = 2000
const MAX_ERROR = 500
/** The user and the password of a URL (RFC 3986, section 3.2.1). */
const USER_INFO = /\/\/[^/?#\s"']*@/g

export interface HealthReport {
  readonly status: HealthStatus
  readonly components: Readonly<Record<string, ComponentReport>>
}

export interface HealthChecksOptions {
  readonly timeoutMs?: number
  readonly freshMs?: number
}

/** Looks at the components that are in use, each at most once at a time. */
export class HealthChecks {
  readonly #checks: readonly Check[]

  constructor(components: readonly HealthComponent[], options: HealthChecksOptions = {}) {
    this.#checks = components.map((component) => new Check(component, options))
  }

  /** The names of the components in use. */
  names(): string[] {
    return this.#used().map(({ component }) => component.name)
  }

  async read(): Promise<HealthReport> {
    const used = this.#used()
    const reports = await Promise.all(used.map((check) => check.report()))
    return {
      status: worst(reports.map(({ status }) => status)),
      components: Object.fromEntries(used.map(({ component }, at) => [component.name, reports[at]!])),
    }
  }

  /** null: there is no such component in use. */
  async component(name: string): Promise<ComponentReport | null> {
    return (
      (await this.#used()
        .find(({ component }) => component.name === name)
        ?.report()) ?? null
    )
  }

  #used(): Check[] {
    return this.#checks.filter(({ component }) => component.inUse())
  }
}

class Check {
  readonly component: HealthComponent
  readonly #timeoutMs: number
  readonly #freshMs: number
  #lastSuccess: string | null = null
  #last: { readonly report: ComponentReport; readonly at: number } | null = null
  #asked: Promise<ComponentReport> | null = null
  /** A look that did not end in time goes on, and no further one begins. */
  #hangs = false

  constructor(component: HealthComponent, { timeoutMs = CHECK_TIMEOUT_MS, freshMs = FRESH_MS }: HealthChecksOptions) {
    this.component = component
    this.#timeoutMs = timeoutMs
    this.#freshMs = freshMs
  }

  report(): Promise<ComponentReport> {
    if (this.#last !== null && performance.now() - this.#last.at < this.#freshMs)
      return Promise.resolve(this.#last.report)
    return (this.#asked ??= this.#look().finally(() => (this.#asked = null)))
  }

  async #look(): Promise<ComponentReport> {
    const checkTime = new Date().toISOString()
    const startedAt = performance.now()
    const state = this.#hangs ? this.#late() : await this.#state()
    const failed = state.status === 'unhealthy'
    if (!failed) this.#lastSuccess = checkTime
    const report = {
      status: state.status,
      response_time_ms: failed ? null : Math.round((performance.now() - startedAt) * 10) / 10,
      check_time: checkTime,
      last_successful_check: this.#lastSuccess,
      ...(state.error !== undefined && { error: redact(state.error).replaceAll(USER_INFO, '//').slice(0, MAX_ERROR) }),
      ...state.fields,
    }
    this.#last = { report, at: performance.now() }
    return report
  }

  async #state(): Promise<ComponentState> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const late = new Promise<ComponentState>((resolve) => {
      signal.addEventListener('abort', () => resolve(this.#late()), { once: true })
    })
    this.#hangs = true
    const looked = Promise.resolve()
      .then(() => this.component.check(signal))
      .catch((error: unknown): ComponentState => {
        if (signal.aborted) return this.#late()
        return { status: 'unhealthy', error: error instanceof Error ? error.message : String(error) }
      })
      .finally(() => (this.#hangs = false))
    return Promise.race([looked, late])
  }

  #late(): ComponentState {
    return { status: 'unhealthy', error: `It did not answer within ${this.#timeoutMs / 1000} s.` }
  }
}
