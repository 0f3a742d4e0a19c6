import { parseJson } from '@tributary/config'
import type { ConnectRecord, Converter, Schema, SchemaAndValue } from '@tributary/connect-api'
import { AvroConverter } from '../avro/avro-converter.ts'
import { converterErrors } from '../errors.ts'
import { JsonConverter } from '../json/json-converter.ts'
import { JsonSchemaConverter } from '../json-schema/converter.ts'
import { ProtobufConverter } from '../protobuf/converter.ts'
import {
  type Attributes,
  attributesFrom,
  attributesOf,
  bytesOfBase64,
  isEvent,
  isJsonType,
  notAnEvent,
  parseEvent,
  scalarText,
} from './event.ts'
import { cloudEventsSettings, type CloudEventsSettings } from './settings.ts'

const STRUCTURED = 'application/cloudevents+json; charset=UTF-8'
const JSON_TYPE = 'application/json'

/** How data is written, and the media type of what is written. */
const DATA = {
  json: { create: () => new JsonConverter(), type: JSON_TYPE },
  avro: { create: () => new AvroConverter(), type: 'application/avro' },
  protobuf: { create: () => new ProtobufConverter(), type: 'application/protobuf' },
  jsonschema: { create: () => new JsonSchemaConverter(), type: 'application/schema+json' },
} as const satisfies Readonly<Record<string, { readonly create: () => Converter; readonly type: string }>>

/**
 * Writes values as CloudEvents 1.0, structured or binary, and reads both. A value that is an event already stays one. Settings as
 * Debezium's io.debezium.converters.CloudEventsConverter has them where both have the same.
 */
export class CloudEventsConverter implements Converter {
  #settings!: CloudEventsSettings
  #data!: Converter

  configure(config: Readonly<Record<string, string>>, isKey: boolean): void {
    if (isKey) {
      throw converterErrors.CONVERTER_CONFIG_INVALID(
        'CloudEventsConverter converts values; choose another one for keys',
        {
          field: 'converter.type',
        },
      )
    }
    this.#settings = cloudEventsSettings(config)
    const { data } = this.#settings
    this.#data = DATA[data].create()
    const prefix = `${data}.`
    const own = Object.entries(config).filter(([key]) => key.startsWith(prefix))
    const defaults = data === 'json' ? { 'schemas.enable': 'false' } : {}
    this.#data.configure(
      { ...defaults, ...Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])) },
      false,
    )
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown, record?: ConnectRecord): Uint8Array | null {
    if (value === null || value === undefined) return null
    const { isBinary } = this.#settings
    if (isEvent(value)) return isBinary ? this.#dataOfEvent(topic, schema, value) : this.#jsonOf(topic, schema, value)
    const { bytes, type } = this.#encode(topic, schema, value)
    if (isBinary) return bytes
    if (bytes === null) return null
    const attributes = attributesOf(topic, record, this.#settings, type)
    const members = [...attributes].map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`)
    const isJson = type === JSON_TYPE
    const data = isJson ? `"data":${bytes.toString('utf8')}` : `"data_base64":"${bytes.toString('base64')}"`
    return Buffer.from(`{${members.join(',')},${data}}`)
  }

  headersOf(record: ConnectRecord): ReadonlyMap<string, string> {
    const { value, topic } = record
    if (value === null || value === undefined) return NO_HEADERS
    if (!this.#settings.isBinary) return STRUCTURED_HEADERS
    const attributes = isEvent(value)
      ? attributesOfEvent(value)
      : attributesOf(topic, record, this.#settings, this.#typeOf(value))
    const headers = new Map<string, string>()
    for (const [name, text] of attributes) headers.set(name === 'datacontenttype' ? 'content-type' : `ce_${name}`, text)
    return headers
  }

  toConnectData(
    topic: string,
    bytes: Uint8Array | null,
    headers: readonly (readonly [string, Uint8Array | null])[] = [],
  ): SchemaAndValue {
    const attributes = attributesFrom(headers)
    if (!attributes.has('specversion')) {
      return { schema: null, value: bytes === null ? null : parseEvent(topic, bytes) }
    }
    const event: Record<string, unknown> = Object.fromEntries(attributes)
    if (!isEvent(event)) throw notAnEvent(topic, 'its headers lack ce_id, ce_source or ce_type')
    return { schema: null, value: bytes === null ? event : { ...event, data: dataFrom(topic, bytes, attributes) } }
  }

  /** Bytes are data of their own; any other value is converted. */
  #encode(
    topic: string,
    schema: Schema | null,
    value: unknown,
  ): { readonly bytes: Buffer | null; readonly type: string } {
    const type = this.#typeOf(value)
    const bytes = type === BYTES_TYPE ? (value as Uint8Array) : this.#data.fromConnectData(topic, schema, value)
    return { bytes: bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), type }
  }

  #typeOf(value: unknown): string {
    return value instanceof Uint8Array ? BYTES_TYPE : DATA[this.#settings.data].type
  }

  /** The whole event as JSON, its data too, whatever the data is written as otherwise. */
  #jsonOf(topic: string, schema: Schema | null, event: Readonly<Record<string, unknown>>): Uint8Array | null {
    if (!(event['data'] instanceof Uint8Array)) return plainJson(topic, schema, event)
    const { data, ...rest } = event
    return plainJson(topic, null, {
      ...withoutNulls(rest),
      data_base64: Buffer.from(data).toString('base64'),
    })
  }

  #dataOfEvent(topic: string, schema: Schema | null, event: Readonly<Record<string, unknown>>): Uint8Array | null {
    const data = Object.hasOwn(event, 'data') ? event['data'] : null
    if (data === null || data === undefined) return base64Of(topic, event)
    if (data instanceof Uint8Array) return data
    return plainJson(topic, schema?.fields?.find((field) => field.name === 'data')?.schema ?? null, data)
  }
}

const BYTES_TYPE = 'application/octet-stream'
const NO_HEADERS: ReadonlyMap<string, string> = new Map()
const STRUCTURED_HEADERS: ReadonlyMap<string, string> = new Map([['content-type', STRUCTURED]])

const plain = new JsonConverter()
plain.configure({ 'schemas.enable': 'false' }, false)

function plainJson(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
  return plain.fromConnectData(topic, schema, value)
}

function withoutNulls(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined))
}

/** The data that an event which came as JSON has in Base64; null: none. */
function base64Of(topic: string, event: Readonly<Record<string, unknown>>): Uint8Array | null {
  const base64 = Object.hasOwn(event, 'data_base64') ? event['data_base64'] : null
  return base64 === null || base64 === undefined ? null : bytesOfBase64(topic, base64)
}

function attributesOfEvent(event: Readonly<Record<string, unknown>>): Attributes {
  const attributes = new Map<string, string>()
  for (const [name, value] of Object.entries(event)) {
    const text = name === 'data' || name === 'data_base64' ? undefined : scalarText(value)
    if (text !== undefined) attributes.set(name, text)
  }
  if (!attributes.has('datacontenttype')) {
    const isBytes = event['data'] instanceof Uint8Array || typeof event['data_base64'] === 'string'
    attributes.set('datacontenttype', isBytes ? BYTES_TYPE : JSON_TYPE)
  }
  return attributes
}

/** Data of a binary event: JSON, text, or bytes. */
function dataFrom(topic: string, bytes: Uint8Array, attributes: Attributes): unknown {
  const type = attributes.get('datacontenttype') ?? JSON_TYPE
  const text = (): string => Buffer.from(bytes).toString('utf8')
  if (type.startsWith('text/') && !isJsonType(type)) return text()
  if (!isJsonType(type) || type.startsWith(DATA.jsonschema.type)) return bytes
  try {
    return parseJson(text())
  } catch (cause) {
    throw notAnEvent(topic, `its data is no JSON: ${(cause as Error).message}`, cause)
  }
}
