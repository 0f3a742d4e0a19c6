import { type LoggerLevels, parseLevel } from '@tributary/telemetry'
import { setLoggerLevel } from './logger-names.ts'
import type { ConfigStore } from './types.ts'

/**
 * Gives this process the log levels that are set for the whole cluster (KIP-976). Those set before its start are not
 * taken over, as in Kafka Connect. Answers the way to end it.
 */
export function followLogLevels(config: ConfigStore, levels: LoggerLevels): () => void {
  return config.listen({
    loggerLevelSet: (logger, text) => {
      const level = parseLevel(text)
      if (level !== null) setLoggerLevel(levels, logger, level)
    },
  })
}
