/**
 * The four kinds of error, decided once, where the error is made (design: delivery and errors).
 *
 * - `retriable`: an outage; tried again with backoff, never a reason for the dead-letter queue
 * - `data`: this record is bad; `errors.tolerance` decides
 * - `config`: the user must change something; 400, or FAILED at start, and no restart by itself
 * - `fatal`: everything else, all that nobody classified included
 */
export type ErrorKind = 'retriable' | 'data' | 'config' | 'fatal'

export interface ConnectErrorOptions {
  readonly cause?: unknown
  /** The config key that the error concerns, for the validate answer. */
  readonly field?: string
}

/** An error of Tributary: what, which, why, what to do; `code` is listed in docs/errors and in `ERROR_CODES`. */
export class ConnectError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly field: string | undefined
  constructor(kind: ErrorKind, code: string, message: string, options: ConnectErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.kind = kind
    this.code = code
    this.field = options.field
  }
}
export class RetriableError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('retriable', code, message, options)
  }
}
export class DataError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('data', code, message, options)
  }
}
export class ConfigError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('config', code, message, options)
  }
}
export class FatalError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('fatal', code, message, options)
  }
}
/** Thrown by `connect` and `poll`: the runtime calls `connect` again, with backoff. A server that ends its stream with OK is one too. */
export class NotConnectedError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('retriable', code, message, options)
  }
}

/** The kind of anything that was thrown; what nobody classified is fatal. */
export function errorKind(error: unknown): ErrorKind {
  const kind = (error as { kind?: unknown } | null | undefined)?.kind
  return kind === 'retriable' || kind === 'data' || kind === 'config' ? kind : 'fatal'
}

/** The code of anything that was thrown, undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** The text of an error with its stack and all its causes, as Connect's `trace` shows it. */
export function traceOf(error: unknown): string {
  const seen = new Set<unknown>()
  const lines: string[] = []
  for (let e: unknown = error; e !== undefined && e !== null && !seen.has(e); e = (e as { cause?: unknown }).cause) {
    seen.add(e)
    const code = errorCode(e) === undefined ? '' : ` [${errorCode(e)}]`
    const head = e instanceof Error ? `${e.name}${code}: ${e.message}` : JSON.stringify(e)
    const stack = e instanceof Error && e.stack ? e.stack.split('\n').filter((l) => l.startsWith('    at ')) : []
    lines.push((lines.length > 0 ? 'Caused by: ' : '') + head, ...stack)
  }
  return lines.join('\n')
}
