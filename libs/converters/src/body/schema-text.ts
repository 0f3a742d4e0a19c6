import { parseJson } from '@tributary/config'
import type { ConfigError, Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { JsonReader } from '../json/json-reader.ts'
import { schemaFromJson } from '../json/json-schema.ts'
import { isObject } from './fit.ts'
import { schemaFromRegistry } from './registered-schema.ts'

/** The schema that a user wrote: in Connect's JSON form, or in that of Avro or JSON Schema. Throws ConfigError BODY_SCHEMA on `key`. */
export function schemaFromText(text: string, key: string): Schema {
  const refuse = (why: string, cause?: unknown): ConfigError =>
    converterErrors.BODY_SCHEMA(`Invalid value for configuration ${key}: ${why}`, { field: key, cause })
  let json: unknown
  try {
    json = parseJson(text)
  } catch (error) {
    throw refuse(`it is no JSON: ${(error as Error).message}`, error)
  }
  const format = formatOf(json)
  if (format === null) throw refuse('it is no schema of Connect, Avro or JSON Schema')
  try {
    if (format === 'CONNECT') return schemaFromJson(json, new JsonReader(true))!
    return schemaFromRegistry({ id: 0, format, schema: text, references: [], dependencies: [] })
  } catch (error) {
    throw refuse((error as Error).message, error)
  }
}

const CONNECT_TYPES = /^(?:int(?:8|16|32|64)|float|double|boolean|string|bytes|array|map|struct)$/

function formatOf(json: unknown): 'CONNECT' | 'AVRO' | 'JSON' | null {
  if (!isObject(json)) return typeof json === 'string' || Array.isArray(json) ? 'AVRO' : null
  if ('$schema' in json || 'properties' in json || json['type'] === 'object') return 'JSON'
  const { type } = json
  if (typeof type === 'string' && CONNECT_TYPES.test(type) && !('logicalType' in json)) return 'CONNECT'
  return typeof type === 'string' || isObject(type) ? 'AVRO' : null
}
