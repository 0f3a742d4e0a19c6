import { traceOf } from '@tributary/connect-api'
import { redact } from '@tributary/telemetry'

/** Characters of a line, and of all lines. */
const MAX_LINE = 8000
const MAX_TEXT = 64_000

/**
 * The text of an error for the status topic and the headers of a dead letter, without secrets. It is cut, as an error may quote a value
 * of the size of a record, and Kafka would then refuse the status and the dead letter.
 */
export function shownError(text: string): string {
  const shown = redact(text)
  const lines = shown.length > MAX_LINE ? shown.split('\n').map((line) => cut(line, MAX_LINE)) : [shown]
  return cut(lines.join('\n'), MAX_TEXT)
}

/** As `shownError`, for the trace of an error. `adapt`: changes the trace before. */
export function shownTrace(error: unknown, adapt: (trace: string) => string = (trace) => trace): string {
  return shownError(adapt(traceOf(error)))
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** The first line stays the reason. */
export function withSecondLine(trace: string, line: string | null): string {
  if (line === null) return trace
  const [reason, ...rest] = trace.split('\n')
  return [reason, line, ...rest].join('\n')
}
