/** `all` and `off` are levels of loggers only; no line has them. */
export type LogLevel = 'all' | 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'off'
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Structured log: one line a change of state, `event=<name> key=value …`; never a record's payload or a secret.
 * Events are snake_case words; the documented ones keep their documented names.
 */
export interface Logger {
  /** The logger's dotted name, `io.tributary.connect.grpc`; `/admin/loggers` sets levels by it. */
  readonly name: string
  trace(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger that adds `fields` to each line; a changed `name` gives it its own level. */
  child(fields: LogFields, name?: string): Logger
}
