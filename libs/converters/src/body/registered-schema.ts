import type { KeySpec } from '@tributary/config'
import { ConfigError, type Props, type Schema } from '@tributary/connect-api'
import { checkRegistrySettings, CLIENT_KEYS, type ResolvedSchema, sharedRegistry } from '@tributary/schema-registry'
import { DEFAULT_OPTIONS } from '../avro/options.ts'
import { parseSchema } from '../avro/parse-schema.ts'
import { toConnectSchema as toConnectOfAvro } from '../avro/to-connect-schema.ts'
import { converterErrors } from '../errors.ts'
import { parseDocument } from '../json-schema/nodes.ts'
import { jsonSchemaSettings } from '../json-schema/settings.ts'
import { toConnectSchema as toConnectOfJsonSchema } from '../json-schema/to-schema.ts'
import { loadProto, loadProtobufjs } from '../protobuf/load.ts'
import { protobufSettings } from '../protobuf/settings.ts'
import { toConnectSchema as toConnectOfProtobuf } from '../protobuf/to-schema.ts'

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

/** What is wrong with the settings of a source's registry, its files of certificates included; null for nothing, and without a registry. */
export async function registryError(props: Props): Promise<ConfigError | null> {
  if (!props['schema.registry.url']) return null
  try {
    await checkRegistrySettings(registryProps(props))
    return null
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return converterErrors.BODY_SCHEMA(error.message, { field: prefixed(error.field ?? 'url'), cause: error })
  }
}

/** Which schema of a registry: that of an id, or the latest of a subject. */
export type Wanted = { readonly id: number } | { readonly subject: string }

/** A schema of a registry. Rejects as RegistryClient, and with DataError for a schema that cannot be used. */
export async function registeredSchema(
  wanted: Wanted,
  props: Props,
  signal: AbortSignal,
): Promise<{ readonly schema: Schema; readonly id: number }> {
  const registry = sharedRegistry(registryProps(props))
  const registered =
    'id' in wanted
      ? await registry.byId(wanted.id, signal)
      : await registry.resolve(await registry.client.latest(wanted.subject, signal), signal)
  if (registered.format === 'PROTOBUF') await loadProtobufjs()
  return { schema: schemaFromRegistry(registered), id: registered.id }
}

/** Throws DataError for a schema that Connect has none for. Of a file of Protobuf the first message counts. */
export function schemaFromRegistry({ format, schema, dependencies }: ResolvedSchema): Schema {
  switch (format) {
    case 'PROTOBUF': {
      const files = dependencies.map(({ name, schema: text }) => ({ name, text }))
      const message = loadProto(schema, files).messages[0]
      if (message === undefined) throw converterErrors.BODY_MISFIT('the schema declares no message')
      return toConnectOfProtobuf(message, protobufSettings({ 'flatten.unions': 'true' }))
    }
    case 'AVRO': {
      const type = parseSchema(
        schema,
        dependencies.map((dependency) => dependency.schema),
      )
      const made = toConnectOfAvro(type, DEFAULT_OPTIONS)
      if (made !== null) return made
      throw converterErrors.BODY_SCHEMA('the schema says nothing of the values')
    }
    case 'JSON': {
      const references = dependencies.map(({ name, schema: text }) => ({ name, text }))
      return toConnectOfJsonSchema(
        parseDocument(schema, references),
        jsonSchemaSettings({ 'use.optional.for.nonrequired': 'true' }),
      )
    }
  }
}
