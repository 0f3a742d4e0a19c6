import { ConfigException } from '@tributary/config'

/**
 * The four kinds of error. The code that makes an error decides its kind, once:
 *
 * - `retriable`: an outage. Tried again with backoff, never a reason for the dead-letter queue.
 * - `data`: this record is bad. `errors.tolerance` decides what happens.
 * - `config`: a user must change something. REST answers 400, a start ends FAILED, and nothing restarts by itself.
 * - `fatal`: everything else, and everything that nobody classified. FAILED, with the whole chain of causes in `trace`.
 */
export type ErrorKind = 'retriable' | 'data' | 'config' | 'fatal'

export interface ConnectErrorOptions {
  readonly cause?: unknown
  /** The config key that the error concerns, for the answer of validate. */
  readonly field?: string
  /**
   * ms that the source asked us to wait before the next try: `retry:` of Server-Sent Events, `Retry-After` (RFC 9110, 10.2.3),
   * `RetryInfo` and `grpc-retry-pushback-ms` of gRPC. The runtime waits at least this long, and an hour at most.
   */
  readonly retryAfterMs?: number | undefined
  /**
   * The source delivered messages and then ended its stream without an error. Such an end lengthens the backoff, and uses up none of
   * `ReconnectPolicy.maxAttempts`. Absent: false.
   */
  readonly readToEnd?: boolean
}

/** An error of Tributary. The message says what, which, why, and what to do. `code` is one of a package's `defineErrors`. */
export class ConnectError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined
  readonly readToEnd: boolean
  constructor(kind: ErrorKind, code: string, message: string, options: ConnectErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.kind = kind
    this.code = code
    this.field = options.field
    this.retryAfterMs = options.retryAfterMs
    this.readToEnd = options.readToEnd ?? false
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
/**
 * The connection to the source is gone, or could not be made. Thrown by `connect` and `poll`: the runtime calls `connect` again,
 * with backoff. The end of a stream that the server ended without an error is a NotConnectedError too.
 */
export class NotConnectedError extends ConnectError {
  constructor(code: string, message: string, options?: ConnectErrorOptions) {
    super('retriable', code, message, options)
  }
}

type ErrorClass = new (code: string, message: string, options?: ConnectErrorOptions) => ConnectError

export interface ErrorDefinition {
  /** The class, and by that the kind, of the errors with this code. */
  readonly type: ErrorClass
  /** For ERRORS.md: what the error means, and what to do. Plain sentences. */
  readonly doc: string
}

export type ErrorDefinitions = Readonly<Record<string, ErrorDefinition>>

/** One function a code: makes an error of the code's class. */
export type ErrorFactories<D extends ErrorDefinitions = ErrorDefinitions> = {
  readonly [C in keyof D]: (message: string, options?: ConnectErrorOptions) => InstanceType<D[C]['type']>
}

const definitionsByFactories = new WeakMap<object, ErrorDefinitions>()

/**
 * The error codes of a package, as data. Nothing else makes an error with a code (test/workspace/errors.test.ts sees to that), so the
 * ERRORS.md beside the package's README, which `npm run docs` writes, is complete.
 *
 *     export const sseErrors = defineErrors({
 *       SSE_STATUS: { type: NotConnectedError, doc: 'The server answered with an error status. The stream is requested again.' },
 *     })
 *     throw sseErrors.SSE_STATUS(`${url} answered ${status}`, { retryAfterMs })
 */
export function defineErrors<const D extends ErrorDefinitions>(definitions: D): ErrorFactories<D> {
  const factories = Object.fromEntries(
    Object.entries(definitions).map(([code, { type }]) => {
      const create = (message: string, options?: ConnectErrorOptions): ConnectError => {
        const error = new type(code, message, options)
        // The stack begins where the error was made.
        Error.captureStackTrace(error, create)
        return error
      }
      return [code, create]
    }),
  ) as ErrorFactories<D>
  definitionsByFactories.set(factories, definitions)
  return factories
}

/** The definitions behind the answer of `defineErrors`; null for anything else. */
export function errorDefinitions(value: unknown): ErrorDefinitions | null {
  return typeof value === 'object' && value !== null ? (definitionsByFactories.get(value) ?? null) : null
}

/** The kind of anything that was thrown. Only the classes of errors give a kind, so what nobody classified is fatal. */
export function errorKind(error: unknown): ErrorKind {
  return error instanceof ConnectError || error instanceof ConfigException ? error.kind : 'fatal'
}

/** The code of anything that was thrown; undefined when there is none. */
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
