import type { DeadLetter, ErrorType } from '@tributary/connect-api'
import { readDeadLetter } from '@tributary/connect-api'
import type { LogRecord } from '@tributary/kafka'

/** A dead letter as it stands in its topic. */
export function letterOf({ key, value, headers, timestamp }: LogRecord): DeadLetter {
  return readDeadLetter({ key, value, timestamp, headers: headers.map(([name, content]) => [String(name), content]) })
}

export function errorTypeOf(_error: unknown, stage: string | null): ErrorType {
  return stage === 'KEY_CONVERTER' || stage === 'VALUE_CONVERTER' ? 'SERIALIZATION_ERROR' : 'UNKNOWN'
}
