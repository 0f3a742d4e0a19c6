import { jsonBytes } from '../connect-json.ts'
import { boundedJson, nameOf } from '../schema/checks.ts'
import { LIMITS } from '../schema/limits.ts'
import { flag, list, number, oneOf, record, type Shape, shape, text, wrong } from '../schema/shape.ts'
import type { StoreRecord } from '../types.ts'
import { CONFIG_CAUSES, type ConfigVersion } from '../types.ts'

/** `version-<connector>-<number>`. The number has no leading zero, so each version has one key. */
const KEY = /^version-(.+)-([1-9]\d{0,14})$/s
/** A value above this, in bytes, is written without its configuration. Kafka takes 1 MB by default. */
const MAX_BYTES = 768 << 10
/** What remains of a configuration that is too large. */
const KEPT = ['name', 'connector.class']

const count: Shape<number> = (value, at) => {
  const whole = number(value, at)
  return Number.isSafeInteger(whole) && whole >= 0 ? whole : wrong(at, 'a whole number')
}
/** The last time that a date can say. */
const MAX_TIME = 8.64e15
const time: Shape<number> = (value, at) => {
  const ms = count(value, at)
  return ms <= MAX_TIME ? ms : wrong(at, 'a time in ms')
}
const orNull =
  <T>(of: Shape<T>): Shape<T | null> =>
  (value, at) =>
    value === null ? null : of(value, at)

const name = text(LIMITS.nameChars)
const keyNames = list(text(LIMITS.valueBytes), LIMITS.members)
const VALUE = shape(
  {
    time,
    author: orNull(name),
    cause: oneOf(CONFIG_CAUSES),
    request_id: orNull(name),
    changed: keyNames,
    config: orNull(record(text(LIMITS.valueBytes), text(LIMITS.valueBytes), LIMITS.members)),
    hidden: keyNames,
  },
  { rollback_to: orNull(count), shortened: flag },
)

/** The connector and the number of the version that a record is about; null for a record of another kind. */
export function versionKey(key: string): { readonly connector: string; readonly version: number } | null {
  const found = KEY.exec(key)
  return found && { connector: nameOf(found[1]!, 'connector'), version: Number(found[2]) }
}

export function versionRecord(connector: string, version: ConfigVersion): StoreRecord {
  const { version: id, time, author, cause, requestId, changed, rollbackTo, config, hidden } = version
  const about = { time, author, cause, request_id: requestId, ...(rollbackTo !== null && { rollback_to: rollbackTo }) }
  const key = `version-${connector}-${id}`
  const value = jsonBytes({ ...about, changed, config, hidden })
  if (value.length <= MAX_BYTES) return { key, value }
  const rest = config && Object.fromEntries(Object.entries(config).filter(([each]) => KEPT.includes(each)))
  return { key, value: jsonBytes({ ...about, changed: [], config: rest, hidden: [], shortened: true }) }
}

export function versionTombstone(connector: string, version: number): StoreRecord {
  return { key: `version-${connector}-${version}`, value: null }
}

/** Throws Error, which says what is wrong with the value and shows nothing of it. */
export function readVersion(version: number, bytes: Uint8Array): ConfigVersion {
  const { request_id: requestId, rollback_to: rollbackTo = null, shortened = false, ...fields } = VALUE(boundedJson(bytes), 'the value') // prettier-ignore
  return { version, ...fields, requestId, rollbackTo, shortened }
}
