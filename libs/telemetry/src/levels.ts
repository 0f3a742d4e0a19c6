import type { LogLevel } from './logger.ts'

/** A logger whose level was set, in the format of `/admin/loggers`. */
export interface LoggerLevel {
  readonly level: ConnectLevel
  /** ms since the epoch; null for a level that has not changed since the start. */
  readonly last_modified: number | null
}

/** The level names of Kafka Connect's REST API, which are log4j's. */
export type ConnectLevel = 'OFF' | 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE' | 'ALL'

const RANKS: Readonly<Record<LogLevel, number>> = {
  all: 0,
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  off: 100,
}
const ROOT = 'root'
/** Loggers whose level is remembered: many more than there are. */
const MAX_LOGGERS = 5000

/** Parses a level's name and ignores case; null when there is no such level. */
export function parseLevel(text: string): LogLevel | null {
  const lower = text.toLowerCase()
  return Object.hasOwn(RANKS, lower) ? (lower as LogLevel) : null
}

export function rankOf(level: LogLevel): number {
  return RANKS[level]
}

/**
 * The levels of this process by dotted logger name. A logger has the level of the longest part of its name that has
 * one: `io.tributary.connect.grpc` takes the level of `io.tributary`. Without one it has the level of `root`.
 */
export class LoggerLevels {
  readonly #levels = new Map<string, { level: LogLevel; modified: number | null }>([
    [ROOT, { level: 'info', modified: null }],
  ])
  /** Counts changes. A logger keeps its effective level until this number changes. */
  #version = 0

  get version(): number {
    return this.#version
  }

  /** Sets a level at the start, without a time of change. */
  init(name: string, level: LogLevel): void {
    this.#levels.set(nameOf(name), { level, modified: null })
    this.#version++
  }

  /**
   * Sets the level of a logger and of those loggers below it that have a level; `root` changes all that have one.
   * Returns their names, sorted. `now` is in ms since the epoch.
   */
  set(name: string, level: LogLevel, now = Date.now()): string[] {
    const target = nameOf(name)
    const below = target === ROOT ? '' : `${target}.`
    const names = [...this.#levels.keys()].filter((n) => n !== target && n !== ROOT && n.startsWith(below))
    names.push(target)
    for (const each of names) this.#levels.set(each, { level, modified: now })
    this.#forgetOldest()
    this.#version++
    return names.sort()
  }

  /** The level that was set for exactly this name; null when none was set. */
  get(name: string): LoggerLevel | null {
    const entry = this.#levels.get(nameOf(name))
    return entry ? toConnect(entry) : null
  }

  /** All loggers with a level, sorted by name. */
  all(): Record<string, LoggerLevel> {
    const sorted = [...this.#levels].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted.map(([name, entry]) => [name, toConnect(entry)]))
  }

  /** Anybody who may set levels can name any number of loggers. */
  #forgetOldest(): void {
    for (const name of this.#levels.keys()) {
      if (this.#levels.size <= MAX_LOGGERS) return
      if (name !== ROOT) this.#levels.delete(name)
    }
  }

  effective(name: string): LogLevel {
    for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const entry = this.#levels.get(part)
      if (entry) return entry.level
    }
    return this.#levels.get(ROOT)!.level
  }
}

function toConnect({ level, modified }: { level: LogLevel; modified: number | null }): LoggerLevel {
  return { level: level.toUpperCase() as ConnectLevel, last_modified: modified }
}

/** log4j ignores the case of the root logger's name, and so do we. */
function nameOf(name: string): string {
  return name.toLowerCase() === ROOT ? ROOT : name
}

/** The levels of this process. */
export const loggerLevels = new LoggerLevels()
