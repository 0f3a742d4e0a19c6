import { isObject, jsonBytes } from './connect-json.ts'
import { boundedJson } from './schema/checks.ts'
import type { StoreRecord } from './store-record.ts'
import type { AccessKey } from './types.ts'

/** The name of an API key. */
export const ACCESS_KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

const PREFIX = 'key-'
const ID = /^[A-Za-z0-9]{1,64}$/
const SHA256 = /^[0-9a-f]{64}$/
/** Larger values than these are no keys of ours. */
const MAX_VALUE_BYTES = 64 * 1024
const MAX_GRANTS = 100
const MAX_GRANT_LENGTH = 1000
const MAX_WRITER_LENGTH = 1000

/** The name of the API key that a record of the access topic is about; null for a record of another kind. */
export function accessKeyName(key: string): string | null {
  const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : ''
  return ACCESS_KEY_NAME.test(name) ? name : null
}

export function accessKeyRecord(key: AccessKey): StoreRecord {
  const { name, createdBy, ...fields } = key
  return { key: PREFIX + name, value: jsonBytes({ ...fields, created_by: createdBy }) }
}

/** Throws Error, which says what is wrong with the value. */
export function readAccessKey(name: string, bytes: Uint8Array): AccessKey {
  if (bytes.length > MAX_VALUE_BYTES) throw new Error(`the value is larger than ${MAX_VALUE_BYTES} bytes`)
  const value = boundedJson(bytes)
  if (!isObject(value)) throw new Error('the value is not an object')
  return {
    name,
    id: text(value, 'id', ID),
    hash: text(value, 'hash', SHA256),
    grants: grantsOf(value['grants']),
    created: time(value, 'created'),
    createdBy: writer(value['created_by']),
    expires: timeOrNull(value, 'expires'),
    revoked: timeOrNull(value, 'revoked'),
  }
}

type Fields = Readonly<Record<string, unknown>>

function text(fields: Fields, name: string, form: RegExp): string {
  const value = fields[name]
  if (typeof value !== 'string' || !form.test(value)) throw new Error(`${name} is missing, or not of its form`)
  return value
}

function time(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`${name} is no time in ms`)
  return value
}

/** A field that is missing is not null: a key without its expiry would never expire. */
function timeOrNull(fields: Fields, name: string): number | null {
  return fields[name] === null ? null : time(fields, name)
}

function grantsOf(value: unknown): string[] {
  const isGrant = (grant: unknown): grant is string => typeof grant === 'string' && grant.length <= MAX_GRANT_LENGTH
  if (!Array.isArray(value) || value.length > MAX_GRANTS || !value.every(isGrant))
    throw new Error('grants is no list of texts')
  return value
}

function writer(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_WRITER_LENGTH) throw new Error('created_by is no text')
  return value
}
