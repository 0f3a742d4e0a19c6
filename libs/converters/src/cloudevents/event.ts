import { randomUUID } from 'node:crypto'
import { parseJson } from '@tributary/config'
import type { ConnectRecord } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { type CloudEventsSettings, isAttribute } from './settings.ts'

/** The attributes of an event by their names, `specversion` first. All of them are text here. */
export type Attributes = ReadonlyMap<string, string>

/** The attributes of a record that is no event yet. `contentType`: that of its data. */
export function attributesOf(
  topic: string,
  record: ConnectRecord | undefined,
  { source, type, headers }: CloudEventsSettings,
  contentType: string,
): Attributes {
  const attributes = new Map([
    ['specversion', '1.0'],
    ['id', ''],
    ['source', source.replaceAll('{topic}', topic)],
    ['type', type.replaceAll('{topic}', topic)],
    ['datacontenttype', contentType],
  ])
  if (record && record.timestamp !== null) attributes.set('time', timeText(record.timestamp))
  for (const [attribute, name] of headers) {
    const text = headerText(record, name)
    if (text !== undefined) attributes.set(attribute, text)
  }
  if (attributes.get('id') === '') attributes.set('id', randomUUID())
  return attributes
}

function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}

/** The last header of the name, as Kafka's lastHeader. */
function headerText(record: ConnectRecord | undefined, name: string): string | undefined {
  const value = record?.headers?.findLast((header) => header.name === name)?.value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return scalarText(value)
}

/** Text, a number or a boolean as text. Undefined: anything else, and empty text. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** A value that has the attributes which every event has is one already. */
export function isEvent(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const text = (name: string): boolean =>
    Object.hasOwn(value, name) && typeof (value as Record<string, unknown>)[name] === 'string'
  return text('specversion') && text('id') && text('source') && text('type')
}

/** A structured event (CloudEvents 1.0, JSON format) as Connect data without schema: attributes, and `data` as JSON or bytes. */
export function parseEvent(topic: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let event: unknown
  try {
    event = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (cause) {
    throw notAnEvent(topic, (cause as Error).message, cause)
  }
  if (!isEvent(event)) throw notAnEvent(topic, 'it lacks specversion, id, source or type')
  if (event['specversion'] !== '1.0')
    throw notAnEvent(topic, `its specversion is ${String(event['specversion']).slice(0, 20)}`)
  const { data_base64: base64, ...rest } = event
  return base64 === undefined ? rest : { ...rest, data: bytesOfBase64(topic, base64) }
}

/** Throws DataError for what is no Base64. */
export function bytesOfBase64(topic: string, base64: unknown): Buffer {
  if (typeof base64 !== 'string') throw notAnEvent(topic, 'its data_base64 is no text')
  const bytes = Buffer.from(base64, 'base64')
  // Buffer.from skips what is no Base64.
  if (bytes.toString('base64').replaceAll('=', '') === base64.replace(/=+$/, '')) return bytes
  throw notAnEvent(topic, 'its data_base64 is no Base64')
}

/** The attributes in the headers of a binary event (CloudEvents 1.0, Kafka protocol binding). */
export function attributesFrom(headers: readonly (readonly [string, Uint8Array | null])[]): Map<string, string> {
  const attributes = new Map<string, string>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (value === null) continue
    const text = Buffer.from(value).toString('utf8')
    if (lower === 'content-type') attributes.set('datacontenttype', text)
    else if (lower.startsWith('ce_') && isAttribute(lower.slice(3))) attributes.set(lower.slice(3), text)
  }
  return attributes
}

export function notAnEvent(topic: string, why: string, cause?: unknown): Error {
  return converterErrors.CONVERTER_CLOUD_EVENT(`A record of topic ${topic} is no CloudEvent: ${why}`, { cause })
}

/** The base types of content that is JSON. */
export function isJsonType(contentType: string): boolean {
  const base = contentType.split(';', 1)[0]!.trim().toLowerCase()
  return base === 'application/json' || base === 'text/json' || base.endsWith('+json')
}
