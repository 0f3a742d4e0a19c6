import { transformErrors } from '../../errors.ts'

/** JavaScript's dates end so many ms before and after 1970. */
const LAST_MS = 8.64e15

/** `ms`, which is what `value` stands for. Throws DataError, with the remedy, beyond JavaScript's dates. */
export function withinDates(ms: number, value: unknown, remedy = ''): number {
  if (Math.abs(ms) <= LAST_MS) return ms
  throw transformErrors.TRANSFORM_DATA(`The timestamp ${String(value)} is beyond the years -271821 to 275760${remedy}`)
}
