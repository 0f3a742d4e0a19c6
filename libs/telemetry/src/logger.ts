/** `all` and `off` are levels of loggers only. No line has them. */
export type LogLevel = 'all' | 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'off'
export type LogFields = Readonly<Record<string, unknown>>

/**
 * A structured log: one line for each change of state, `event=<name> key=value …`. Never log a record's payload or a
 * secret. Events are snake_case words. Documented events keep their documented names.
 */
export interface Logger {
  /** The logger's dotted name, such as `io.tributary.connect.grpc`. `/admin/loggers` sets levels by this name. */
  readonly name: string
  trace(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** Creates a logger that adds `fields` to each line. With another `name` it has its own level. */
  child(fields: LogFields, name?: string): Logger
}
