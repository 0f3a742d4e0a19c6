import type { ConnectRecord, Field, Schema, TransformationPlugin } from '@tributary/connect-api'

/** A record of topic `orders` with what a test gives. */
export function record(given: Partial<ConnectRecord>): ConnectRecord {
  return { topic: 'orders', key: null, value: null, timestamp: null, ...given }
}

/** What the `$Value` form, or the only form, of a transform makes of a record. */
export function applied(
  plugins: TransformationPlugin | readonly TransformationPlugin[],
  config: Readonly<Record<string, string>>,
  given: Partial<ConnectRecord>,
): ConnectRecord {
  const plugin = 'create' in plugins ? plugins : plugins.find(({ class: name }) => name.endsWith('$Value'))!
  return plugin.create(config).apply(record(given))!
}

export function struct(fields: Readonly<Record<string, Schema>>, rest: Partial<Schema> = {}): Schema {
  const list = Object.entries(fields).map(([name, schema]): Field => ({ name, schema }))
  return { type: 'struct', fields: list, ...rest }
}

export const INT32: Schema = { type: 'int32' }
export const STRING: Schema = { type: 'string' }
