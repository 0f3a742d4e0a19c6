import { defineConfig, parseJson, stringifyJson } from '@tributary/config'
import {
  BYTES_SCHEMA,
  type ConnectRecord,
  fieldOf,
  type Header,
  isPlainObject,
  type Schema,
  STRING_SCHEMA,
  type TransformationPlugin,
} from '@tributary/connect-api'
import { defineTransformation } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { TRIBUTARY, VERSION } from './name.ts'

/** What an envelope holds. */
interface Content {
  /** The field with the content, for its schema; null: the content has no field of its own. */
  readonly field: string | null
  readonly value: unknown
  /** Names without prefix. What is null or no scalar is left out. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** Sets the header `content-type`. */
  readonly contentType?: unknown
  /** When the event happened. */
  readonly time: unknown
  /** Headers of the record that the attributes replace. */
  readonly replaces?: (header: Header) => boolean
}

interface Envelope {
  readonly name: string
  readonly what: string
  readonly prefix: string
  /** null: the value is no such envelope. */
  readonly open: (value: Readonly<Record<string, unknown>>) => Content | null
  /** For events whose attributes are headers already. null: it is none. */
  readonly openHeaders?: (record: ConnectRecord) => Content | null
}

/** A transform that takes the content out of an envelope, and puts the rest of it into headers. */
export function unwrap(envelope: Envelope): TransformationPlugin {
  return defineTransformation({
    class: `${TRIBUTARY}.${envelope.name}`,
    version: VERSION,
    spec: defineConfig({
      'header.prefix': {
        type: 'string',
        default: envelope.prefix,
        importance: 'medium',
        doc: `Put before the names of the headers that get the attributes of ${envelope.what}.`,
      },
      'content.format': {
        type: 'string',
        default: 'same',
        validator: { kind: 'oneOf', values: ['same', 'text', 'json'] },
        importance: 'medium',
        doc: '`same`: the content is text if the record was, and JSON if that was parsed. `text`: JSON is written as text, with its numbers as they stood. `json`: text is parsed as JSON.',
      },
      timestamp: {
        type: 'string',
        default: 'record',
        validator: { kind: 'oneOf', values: ['record', 'envelope'] },
        importance: 'low',
        doc: 'Whose time the record gets: its own, or that of the envelope.',
      },
      'on.other': {
        type: 'string',
        default: 'pass',
        validator: { kind: 'oneOf', values: ['pass', 'fail'] },
        importance: 'medium',
        doc: `What becomes of a record that is not ${envelope.what}: it stays as it is, or is an error of the record.`,
      },
    }),
    create: (config) => {
      const { 'header.prefix': prefix, 'content.format': format, timestamp: time, 'on.other': onOther } = config
      return {
        apply: (record) => {
          const { value } = record
          const isText = typeof value === 'string' || value instanceof Uint8Array
          const asText = format === 'text' || (format === 'same' && isText)
          const body = isText ? parsed(value, asText) : value
          const content = envelope.openHeaders?.(record) ?? (isPlainObject(body) ? envelope.open(body) : null)
          if (content === null) {
            if (onOther === 'pass') return record
            throw transformErrors.TRANSFORM_DATA(`the record is not ${envelope.what}`)
          }
          const own = record.headers?.filter((header) => content.replaces?.(header) !== true) ?? []
          const at = time === 'envelope' ? timeOf(content.time) : null
          return {
            ...record,
            ...contentOf(record, content, asText, format === 'json'),
            headers: [
              ...own,
              ...headersOf(content.attributes, prefix),
              ...headersOf({ 'content-type': content.contentType }, ''),
            ],
            ...(at !== null && { timestamp: at }),
          }
        },
      }
    },
  })
}

/** null: it is no JSON. `exact`: numbers are kept as they stand, to be written again. */
function parsed(value: string | Uint8Array, exact: boolean): unknown {
  try {
    const text = typeof value === 'string' ? value : new TextDecoder('utf-8', { fatal: true }).decode(value)
    // Nothing but an object can be an envelope.
    return /^\s*\{/.test(text) ? parseJson(text, exact ? { numbers: 'raw' } : {}) : null
  } catch {
    return null
  }
}

function contentOf(
  record: ConnectRecord,
  { field, value }: Content,
  asText: boolean,
  asJson: boolean,
): { value: unknown; valueSchema: Schema | null } {
  const known =
    field !== null && record.valueSchema?.type === 'struct' ? fieldOf(record.valueSchema, field)?.schema : undefined
  if (value === null || value === undefined) return { value: null, valueSchema: known ?? null }
  if (value instanceof Uint8Array) return { value, valueSchema: BYTES_SCHEMA }
  if (typeof value === 'string')
    return asJson ? { value: jsonOf(value), valueSchema: null } : { value, valueSchema: STRING_SCHEMA }
  if (asText && known === undefined) return { value: stringifyJson(value), valueSchema: STRING_SCHEMA }
  return { value, valueSchema: known ?? null }
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw transformErrors.TRANSFORM_DATA('the content of the envelope is not JSON, which content.format=json wants', {
      cause,
    })
  }
}

function headersOf(attributes: Readonly<Record<string, unknown>>, prefix: string): Header[] {
  const headers: Header[] = []
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === 'string' ? value : scalarText(value)
    if (text !== null) headers.push({ name: `${prefix}${name}`, value: text, schema: STRING_SCHEMA })
  }
  return headers
}

function scalarText(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  // A number that was kept as it stood.
  const isRaw = typeof value === 'object' && value !== null && Object.hasOwn(value, 'rawJSON')
  return isRaw ? stringifyJson(value) : null
}

/** null: it is no time that a record may have. Kafka's clients take none before 1970, and its log cleaner stops at one. */
function timeOf(time: unknown): number | null {
  const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? Date.parse(time) : NaN
  return ms >= 0 ? ms : null
}
