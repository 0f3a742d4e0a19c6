import type { Keys } from '@tributary/config'

/** The settings of Confluent's JsonSchemaData, with its defaults. */
export interface JsonSchemaSettings {
  readonly additionalProperties: boolean
  readonly optionalForNonRequired: boolean
  readonly numericDecimals: boolean
  readonly generalized: boolean
  readonly ignoreDefault: boolean
  readonly failInvalid: boolean
}

export function jsonSchemaSettings(config: Readonly<Record<string, string>>): JsonSchemaSettings {
  const flag = (key: keyof typeof JSON_SCHEMA_KEYS): boolean =>
    (config[key] ?? String(JSON_SCHEMA_KEYS[key].default)).trim().toLowerCase() === 'true'
  return {
    additionalProperties: flag('object.additional.properties'),
    optionalForNonRequired: flag('use.optional.for.nonrequired'),
    numericDecimals: (config['decimal.format'] ?? '').trim().toUpperCase() === 'NUMERIC',
    generalized: flag('generalized.sum.type.support'),
    ignoreDefault: flag('ignore.default.for.nullables'),
    failInvalid: flag('json.fail.invalid.schema'),
  }
}

const flag = (value: boolean, order: number, doc: string) =>
  ({
    type: 'boolean',
    default: value,
    importance: 'medium',
    group: 'JSON Schema',
    order,
    width: 'medium',
    doc,
  }) as const

export const JSON_SCHEMA_KEYS = {
  'object.additional.properties': flag(
    true,
    1,
    'Allow properties that a schema does not list. false: write `additionalProperties: false`.',
  ),
  'use.optional.for.nonrequired': flag(false, 2, 'Read a property that is not `required` as an optional field.'),
  'decimal.format': {
    type: 'string',
    default: 'BASE64',
    validator: { kind: 'oneOf', values: ['BASE64', 'NUMERIC'], ignoreCase: true },
    importance: 'low',
    group: 'JSON Schema',
    order: 3,
    width: 'medium',
    doc: 'How Decimals are written: BASE64, the bytes of the unscaled value, or NUMERIC, a JSON number. Both are read.',
  },
  'generalized.sum.type.support': flag(
    false,
    4,
    'Name enums and unions `org.apache.kafka.connect.data.Enum` and `….Union`, as the Avro and Protobuf converters can do too.',
  ),
  'ignore.default.for.nullables': flag(
    false,
    5,
    'Write null for an optional field without a value, also if its schema has a default.',
  ),
  'json.fail.invalid.schema': flag(
    false,
    6,
    'Check each record that is written or read with its JSON Schema, and refuse it if it does not fit.',
  ),
} as const satisfies Keys
