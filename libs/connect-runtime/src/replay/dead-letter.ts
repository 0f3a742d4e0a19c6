import type { DeadLetter } from '@tributary/connect-api'
import { readDeadLetter } from '@tributary/connect-api'
import type { LogRecord } from '@tributary/kafka'

/** A dead letter as it stands in its topic. */
export function letterOf({ key, value, headers, timestamp }: LogRecord): DeadLetter {
  return readDeadLetter({ key, value, timestamp, headers: headers.map(([name, content]) => [String(name), content]) })
}
