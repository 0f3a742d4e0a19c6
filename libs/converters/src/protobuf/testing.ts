import type { Schema } from '@tributary/connect-api'
import { compileReader } from './decoder.ts'
import { compileWriter } from './encoder.ts'
import { fromConnectSchema } from './from-schema.ts'
import { loadProto } from './load.ts'
import { indexesOf, messageAt } from './model.ts'
import { Output } from './output.ts'
import { protobufSettings } from './settings.ts'
import { toConnectSchema } from './to-schema.ts'

export const optional = (type: Schema['type'], more: Partial<Schema> = {}): Schema => ({
  type,
  optional: true,
  ...more,
})

/** Writes a value with the message that its schema becomes, and reads it back. */
export function roundTrip(schema: Schema, value: unknown, config: Record<string, string> = {}) {
  const settings = protobufSettings(config)
  const { text, fullName } = fromConnectSchema(schema, settings)
  const file = loadProto(text, [])
  const message = messageAt(file, indexesOf(file, fullName)!)!
  const out = new Output()
  compileWriter(message, schema, settings)(out, value, 1)
  const bytes = out.take()
  const readSchema = toConnectSchema(message, settings)
  return { text, bytes, schema: readSchema, value: compileReader(message, readSchema, settings)(bytes) }
}

export const struct = (fields: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'struct',
  name: 'S',
  ...more,
  fields: Object.entries(fields).map(([name, schema]) => ({ name, schema })),
})
