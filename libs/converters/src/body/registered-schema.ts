import type { KeySpec } from '@tributary/config'
import type { Props, Schema } from '@tributary/connect-api'
import { CLIENT_KEYS, type ResolvedSchema, sharedRegistry } from '@tributary/schema-registry'
import { converterErrors } from '../errors.ts'

const PREFIX = 'schema.registry.'
const prefixed = (key: string): string => (key.startsWith(PREFIX) ? key : PREFIX + key)

/**
 * The keys of the registry's client as a source has them: all begin with `schema.registry.`, so that they do not mix with the source's
 * own, and none is required.
 */
export const BODY_REGISTRY_KEYS: Readonly<Record<never, KeySpec>> = Object.fromEntries(
  Object.entries<KeySpec>(CLIENT_KEYS).map(([key, spec]) => [
    prefixed(key),
    { ...spec, importance: 'low', ...(key === 'schema.registry.url' && { default: null }) } satisfies KeySpec,
  ]),
)

/** The settings of the registry's client among those of a source. */
export function registryProps(props: Props): Props {
  const known = Object.keys(CLIENT_KEYS).filter((key) => Object.hasOwn(props, prefixed(key)))
  return Object.fromEntries(known.map((key) => [key, props[prefixed(key)]!]))
}

/** The latest schema of a subject. Rejects as RegistryClient.latest, and with DataError for a schema that cannot be used. */
export async function registeredSchema(subject: string, props: Props, signal: AbortSignal): Promise<Schema> {
  const registry = sharedRegistry(registryProps(props))
  return schemaFromRegistry(await registry.resolve(await registry.client.latest(subject, signal), signal))
}

/** Throws DataError, ConfigError. */
export function schemaFromRegistry({ format, id }: ResolvedSchema): Schema {
  throw converterErrors.BODY_SCHEMA(`schema ${id} is of ${format}; a body is read by a schema of Avro or JSON Schema`)
}
