import type { Schema } from '@tributary/connect-api'

/** The JSON form of a schema, as Connect's JsonConverter writes it next to each payload. */
export function schemaToJson(schema: Schema, fieldName?: string): Record<string, unknown> {
  const json: Record<string, unknown> = { type: typeName(schema), optional: schema.optional ?? false }
  if (schema.name !== undefined) json['name'] = schema.name
  if (schema.version !== undefined) json['version'] = schema.version
  if (schema.doc !== undefined) json['doc'] = schema.doc
  if (schema.parameters !== undefined) json['parameters'] = schema.parameters
  if (schema.default !== undefined) json['default'] = schema.default
  if (schema.type === 'struct') json['fields'] = (schema.fields ?? []).map((f) => schemaToJson(f.schema, f.name))
  if (schema.type === 'array' && schema.valueSchema) json['items'] = schemaToJson(schema.valueSchema)
  if (schema.type === 'map') {
    if (schema.keySchema) json['keys'] = schemaToJson(schema.keySchema)
    if (schema.valueSchema) json['values'] = schemaToJson(schema.valueSchema)
  }
  if (fieldName !== undefined) json['field'] = fieldName
  return json
}

/** In JSON, Connect names the two float types differently. */
function typeName(schema: Schema): string {
  return schema.type === 'float32' ? 'float' : schema.type === 'float64' ? 'double' : schema.type
}

/** The inverse of `schemaToJson`. Throws a plain Error that names an unknown type. */
export function schemaFromJson(json: Record<string, unknown>): Schema {
  const wire = json['type']
  const type = wire === 'float' ? 'float32' : wire === 'double' ? 'float64' : wire
  const known = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string', 'bytes']
  const nested = ['array', 'map', 'struct']
  if (typeof type !== 'string' || ![...known, ...nested].includes(type)) {
    throw new Error(`unknown schema type ${JSON.stringify(wire)}`)
  }
  const object = (key: string): Record<string, unknown> => (json[key] ?? {}) as Record<string, unknown>
  return {
    type: type as Schema['type'],
    optional: json['optional'] === true,
    ...(typeof json['name'] === 'string' ? { name: json['name'] } : {}),
    ...(typeof json['version'] === 'number' ? { version: json['version'] } : {}),
    ...(typeof json['doc'] === 'string' ? { doc: json['doc'] } : {}),
    ...(json['parameters'] ? { parameters: json['parameters'] as Record<string, string> } : {}),
    ...(json['default'] !== undefined ? { default: json['default'] } : {}),
    ...(type === 'array' ? { valueSchema: schemaFromJson(object('items')) } : {}),
    ...(type === 'map'
      ? { keySchema: schemaFromJson(object('keys')), valueSchema: schemaFromJson(object('values')) }
      : {}),
    ...(type === 'struct'
      ? {
          fields: ((json['fields'] ?? []) as Record<string, unknown>[]).map((f) => ({
            name: String(f['field']),
            schema: schemaFromJson(f),
          })),
        }
      : {}),
  }
}
