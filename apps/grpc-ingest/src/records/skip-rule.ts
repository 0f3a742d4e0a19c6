import { fieldTest, type MessageType, type Read } from '../schema/index.ts'
import { grpcErrors } from '../errors.ts'

const KEY = 'record.skip.match'
const TERM = /^(?:(!?)\s*([\w.]+)|([\w.]+)\s*(==|!=)\s*(\S.*|))$/

export type MessageTest = Read<boolean>

/**
 * The test of a rule: `path`, `!path`, `path == value` and `path != value`, joined by `&&`, which binds tighter, and `||`. Throws
 * ConfigError for a rule of another form and for a field that does not exist. The test throws DataError for malformed bytes.
 */
export function skipRule(type: MessageType, rule: string): MessageTest {
  const alternatives = rule.split('||').map((part) => part.split('&&').map((text) => term(type, text.trim(), rule)))
  return (bytes, start, end) => {
    for (const terms of alternatives) if (holds(terms, bytes, start, end)) return true
    return false
  }
}

/** Whether all terms hold. A plain loop, as a closure for each message would cost an allocation. */
function holds(terms: readonly MessageTest[], bytes: Uint8Array, start?: number, end?: number): boolean {
  for (const test of terms) if (!test(bytes, start, end)) return false
  return true
}

function term(type: MessageType, text: string, rule: string): MessageTest {
  const [matched, not, path, compared, operator, value = ''] = TERM.exec(text) ?? []
  if (matched === undefined) {
    throw grpcErrors.GRPC_FIELD_PATH(
      `${KEY}=${rule}: '${text}' has none of the forms path, !path, path == value, path != value`,
      { field: KEY },
    )
  }
  const test =
    path === undefined
      ? fieldTest(type, compared ?? '', value.replace(/^"(.*)"$/, '$1'), KEY)
      : fieldTest(type, path, null, KEY)
  return not === '!' || operator === '!=' ? (bytes, start, end) => !test(bytes, start, end) : test
}
