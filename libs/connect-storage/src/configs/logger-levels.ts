import { type LoggerLevels, type LogLevel, parseLevel } from '@tributary/telemetry'
import type { ConfigStore } from '../types.ts'

/**
 * Packages of the JVM connectors and the packages here that have the same purpose. The JVM connectors' documents name
 * these loggers to operators.
 */
const JVM_PACKAGES: Readonly<Record<string, string>> = {
  'io.conduktor.connect.': 'io.tributary.connect.',
  'io.connect.sqs.': 'io.tributary.connect.sqs.',
}

/** Libraries of the JVM connectors. Our own code does what they do there. */
const JVM_LIBRARIES: Readonly<Record<string, string>> = {
  'io.grpc.': 'io.tributary.connect.grpc',
  'io.netty.': 'io.tributary.connect.grpc',
  'okhttp3.': 'io.tributary.connect.websocket',
}

/**
 * Sets the level of a logger and of those loggers below it that have a level. Returns their names. The name of a JVM
 * connector's logger, or of a library's, also sets our logger of the same purpose: `io.conduktor.connect.grpc`, a class
 * in it, and `io.netty` set `io.tributary.connect.grpc`.
 */
export function setLoggerLevel(levels: LoggerLevels, logger: string, level: LogLevel): string[] {
  const names = levels.set(logger, level)
  const ours = ownLogger(logger)
  if (ours !== null) levels.set(ours, level)
  return names
}

function ownLogger(name: string): string | null {
  for (const [theirs, ours] of Object.entries(JVM_PACKAGES)) {
    if (!`${name}.`.startsWith(theirs)) continue
    // Our loggers are packages, so a class in the name stands for its package.
    return (ours + `${name}.`.slice(theirs.length)).replace(/(\.[A-Z][^.]*)*\.$/, '')
  }
  return Object.entries(JVM_LIBRARIES).find(([library]) => `${name}.`.startsWith(library))?.[1] ?? null
}

/**
 * Applies the log levels that are set for the whole cluster to this process (KIP-976). As in Kafka Connect, levels that
 * were set before the process started are not applied. Returns a function that ends this.
 */
export function followLogLevels(config: ConfigStore, levels: LoggerLevels): () => void {
  return config.listen({
    loggerLevelSet: (logger, text) => {
      const level = parseLevel(text)
      if (level !== null) setLoggerLevel(levels, logger, level)
    },
  })
}
