import type { LogFields, Logger } from './logger.ts'

/** A line as code has logged it. */
export interface LogLine {
  readonly level: string
  readonly event: string
  /** With those of the logger. */
  readonly fields: LogFields
}

/** A logger of tests, which adds its lines to `lines`. */
export function rememberingLog(lines: LogLine[], fields: LogFields = {}, name = 'test'): Logger {
  const at = (level: string) => (event: string, more?: LogFields) =>
    void lines.push({ level, event, fields: { ...fields, ...more } })
  return {
    name,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more, childName) => rememberingLog(lines, { ...fields, ...more }, childName ?? name),
  }
}

/** A logger of tests without lines. */
export const silentLog: Logger = {
  name: 'test',
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
