import { jsonBytes } from '../connect-json.ts'
import { boundedJson } from '../schema/checks.ts'
import { list, type Shape, shape, text, wrong } from '../schema/shape.ts'
import type { StoreRecord } from '../types.ts'
import type { AccessKey } from '../types.ts'

/** The name of an API key. */
export const ACCESS_KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

const PREFIX = 'key-'

const time: Shape<number> = (value, at) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(at, 'a time in ms')
/** Not for a member that is missing: a key without its expiry would never expire. */
const timeOrNull: Shape<number | null> = (value, at) => (value === null ? null : time(value, at))

const VALUE = shape(
  {
    id: text(64, /^[A-Za-z0-9]+$/),
    hash: text(64, /^[0-9a-f]{64}$/),
    grants: list(text(1000), 100),
    created: time,
    created_by: text(1000),
    expires: timeOrNull,
    revoked: timeOrNull,
  },
  {},
)

/** The name of the API key that a record of the access topic is about; null for a record of another kind. */
export function accessKeyName(key: string): string | null {
  const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : ''
  return ACCESS_KEY_NAME.test(name) ? name : null
}

export function accessKeyRecord(key: AccessKey): StoreRecord {
  const { name, createdBy, ...fields } = key
  return { key: PREFIX + name, value: jsonBytes({ ...fields, created_by: createdBy }) }
}

/** Throws Error, which says what is wrong with the value and shows nothing of it. */
export function readAccessKey(name: string, bytes: Uint8Array): AccessKey {
  const { created_by: createdBy, ...fields } = VALUE(boundedJson(bytes), 'the value')
  return { name, ...fields, createdBy }
}
