import { pino } from 'pino'
import { loggerLevels, rankOf } from './levels.ts'
import type { LoggerLevels } from './levels.ts'
import { formatLine } from './logfmt.ts'
import type { LogFields, Logger, LogLevel } from './logger.ts'
import { redact } from './redaction/redaction.ts'

/** The destination of log lines. Each line includes its line end. */
export interface LogStream {
  write(line: string): unknown
}

export interface LoggerOptions {
  /** The dotted name, such as `io.tributary.connect.grpc`. */
  readonly name: string
  /** Sets the level of `name` in the registry. Absent: the level of the nearest name above that has one. */
  readonly level?: LogLevel
  /** Added to each line. */
  readonly fields?: LogFields
  /** Default: standard output, and the file of `logToFile`. Lines are written synchronously, so that the last line before a crash is not lost. */
  readonly stream?: LogStream
  readonly levels?: LoggerLevels
}

export function createLogger({
  name,
  level,
  fields = {},
  stream = output,
  levels = loggerLevels,
}: LoggerOptions): Logger {
  if (level !== undefined) levels.init(name, level)
  return new LogfmtLogger(name, fields, stream, levels)
}

let stdout: LogStream | undefined
let file: LogStream | undefined

const output: LogStream = {
  write(line) {
    stdout ??= destination(1)
    stdout.write(line)
    file?.write(line)
  },
}

/**
 * Appends all later lines to a file as well. Several processes may append to one. Throws when the file cannot be opened.
 */
export function logToFile(path: string): void {
  file = destination(path)
}

function destination(dest: number | string): LogStream {
  const opened = pino.destination({ dest, sync: true, mkdir: true })
  // pino drops lines when the reader has gone away, for example when a launcher is killed before its children. No other
  // error, such as a full disk, may end the process.
  opened.on('error', (error: Error) => process.stderr.write(`log output failed: ${error.message}\n`))
  return opened
}

class LogfmtLogger implements Logger {
  readonly name: string
  readonly #fields: LogFields
  readonly #stream: LogStream
  readonly #levels: LoggerLevels
  #threshold = 0
  #version = -1

  constructor(name: string, fields: LogFields, stream: LogStream, levels: LoggerLevels) {
    this.name = name
    this.#fields = fields
    this.#stream = stream
    this.#levels = levels
  }

  trace(event: string, fields?: LogFields): void {
    this.#log('trace', event, fields)
  }
  debug(event: string, fields?: LogFields): void {
    this.#log('debug', event, fields)
  }
  info(event: string, fields?: LogFields): void {
    this.#log('info', event, fields)
  }
  warn(event: string, fields?: LogFields): void {
    this.#log('warn', event, fields)
  }
  error(event: string, fields?: LogFields): void {
    this.#log('error', event, fields)
  }

  child(fields: LogFields, name = this.name): Logger {
    return new LogfmtLogger(name, { ...this.#fields, ...fields }, this.#stream, this.#levels)
  }

  #log(level: LogLevel, event: string, fields: LogFields | undefined): void {
    if (this.#version !== this.#levels.version) {
      this.#version = this.#levels.version
      this.#threshold = rankOf(this.#levels.effective(this.name))
    }
    if (rankOf(level) < this.#threshold) return
    const all = fields ? { ...this.#fields, ...fields } : this.#fields
    this.#stream.write(redact(formatLine({ time: Date.now(), level, name: this.name, event, fields: all })))
  }
}
