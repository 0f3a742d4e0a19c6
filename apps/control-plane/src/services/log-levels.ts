import { type ConfigStore, followLogLevels, setLoggerLevel } from '@tributary/connect-storage'
import { type LoggerLevel, type LoggerLevels, parseLevel } from '@tributary/telemetry'
import { restError } from '../http/rest-errors.ts'

/**
 * Log levels while everything runs (KIP-495, KIP-976). No connector runs in this process: a level is set here and sent
 * to all workers by the config topic, whichever scope was asked for; only the answers of the scopes differ.
 */
export class LogLevels {
  readonly #levels: LoggerLevels
  readonly #config: ConfigStore

  constructor(levels: LoggerLevels, config: ConfigStore) {
    this.#levels = levels
    this.#config = config
  }

  all(): Record<string, LoggerLevel> {
    return this.#levels.all()
  }

  one(logger: string): LoggerLevel {
    const level = this.#levels.get(logger)
    if (level === null) throw restError('loggerNotFound', logger)
    return level
  }

  /** Sets the level of a logger and of the set ones below it; the names of those of this process. */
  async set(logger: string, text: string | null | undefined): Promise<string[]> {
    if (text === undefined || text === null) throw restError('levelMissing')
    const level = parseLevel(text)
    if (level === null) throw restError('levelInvalid', text)
    await this.#config.putLoggerLevel(logger, level.toUpperCase())
    return setLoggerLevel(this.#levels, logger, level)
  }

  /** Takes over levels that come by the config topic, from other replicas of this service too. Answers the way to end it. */
  follow(): () => void {
    return followLogLevels(this.#config, this.#levels)
  }
}
