import type { LoggerLevels, LogLevel } from '@tributary/telemetry'

/** Packages of the JVM connectors, whose documents tell operators to set these loggers, and ours of the same job. */
const FORMER_PACKAGES: Readonly<Record<string, string>> = {
  'io.conduktor.connect.': 'io.tributary.connect.',
  'io.connect.sqs.': 'io.tributary.connect.sqs.',
}

/**
 * Sets the level of a logger and of the set ones below it, and answers their names. A logger of a JVM connector sets the
 * one of ours that does its job, too: `io.conduktor.connect.grpc` or a class in it sets `io.tributary.connect.grpc`.
 */
export function setLoggerLevel(levels: LoggerLevels, logger: string, level: LogLevel): string[] {
  const names = levels.set(logger, level)
  const ours = ownLogger(logger)
  if (ours !== null) levels.set(ours, level)
  return names
}

function ownLogger(name: string): string | null {
  for (const [former, ours] of Object.entries(FORMER_PACKAGES)) {
    if (!`${name}.`.startsWith(former)) continue
    // Our loggers are packages: a class among the names stands for its package.
    return (ours + `${name}.`.slice(former.length)).replace(/(\.[A-Z][^.]*)*\.$/, '')
  }
  return null
}
