import type { LogLevel } from './logger.ts'

/** A logger whose level was set, as `/admin/loggers` shows it. */
export interface LoggerLevel {
  readonly level: ConnectLevel
  /** ms since the epoch; null for a level that stands since the start. */
  readonly last_modified: number | null
}

/** Level names of Kafka Connect's REST API (log4j's). */
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

/** A level by its name in any case; null when there is no such level. */
export function parseLevel(text: string): LogLevel | null {
  const lower = text.toLowerCase()
  return Object.hasOwn(RANKS, lower) ? (lower as LogLevel) : null
}

export function rankOf(level: LogLevel): number {
  return RANKS[level]
}

/**
 * Levels of the dotted logger names of this process. A logger has the level of its longest name part that was set,
 * `io.tributary` for `io.tributary.connect.grpc`, else that of `root`.
 */
export class LoggerLevels {
  readonly #levels = new Map<string, { level: LogLevel; modified: number | null }>([
    [ROOT, { level: 'info', modified: null }],
  ])
  /** Counts changes, so that loggers can keep their effective level until the next one. */
  #version = 0

  get version(): number {
    return this.#version
  }

  /** Sets the level that stands from the start, without a time of change. */
  init(name: string, level: LogLevel): void {
    this.#levels.set(nameOf(name), { level, modified: null })
    this.#version++
  }

  /**
   * Sets the level of a logger and of the set ones below it (for `root`: all set ones). Answers their names, sorted.
   * `now` is in ms since the epoch.
   */
  set(name: string, level: LogLevel, now = Date.now()): string[] {
    const target = nameOf(name)
    const below = target === ROOT ? '' : `${target}.`
    const names = [...this.#levels.keys()].filter((n) => n !== target && n !== ROOT && n.startsWith(below))
    names.push(target)
    for (const each of names) this.#levels.set(each, { level, modified: now })
    this.#version++
    return names.sort()
  }

  /** The level that was set for exactly this name; null when none was. */
  get(name: string): LoggerLevel | null {
    const entry = this.#levels.get(nameOf(name))
    return entry ? toConnect(entry) : null
  }

  /** All set loggers by name, in the order of their names. */
  all(): Record<string, LoggerLevel> {
    const sorted = [...this.#levels].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(sorted.map(([name, entry]) => [name, toConnect(entry)]))
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

/** log4j's root logger is found in any case, and so is ours. */
function nameOf(name: string): string {
  return name.toLowerCase() === ROOT ? ROOT : name
}

/** The levels of this process. */
export const loggerLevels = new LoggerLevels()
