import { type ConfigStore, followLogLevels, setLoggerLevel } from '@tributary/connect-storage'
import { type LoggerLevel, type LoggerLevels, parseLevel } from '@tributary/telemetry'
import { restError } from '../http/rest-errors.ts'

/** Names of loggers are names of classes. Every process keeps each that was ever set, and workers read none above 6000. */
const MAX_NAME_CHARS = 1000

/**
 * Log levels that can be changed while the cluster runs (KIP-495, KIP-976). No connector runs in this process. So both
 * scopes set a level in this process and send it to all workers through the config topic; only their answers differ.
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

  /**
   * Sets the level of a logger and of those loggers below it that have a level. Returns their names in this process.
   */
  async set(logger: string, text: string | null | undefined): Promise<string[]> {
    if (text === undefined || text === null) throw restError('levelMissing')
    const level = parseLevel(text)
    if (level === null) throw restError('levelInvalid', text)
    if (logger.length > MAX_NAME_CHARS) throw restError('loggerTooLong', logger.length, MAX_NAME_CHARS)
    await this.#config.putLoggerLevel(logger, level.toUpperCase())
    return setLoggerLevel(this.#levels, logger, level)
  }

  /**
   * Applies the levels that arrive through the config topic, also from other replicas. Returns a function that ends
   * this.
   */
  follow(): () => void {
    return followLogLevels(this.#config, this.#levels)
  }
}
