import { createHash } from 'node:crypto'
import { defineConfig, type ValuesOf } from '@tributary/config'
import { parseConfig, type Props } from '@tributary/connect-api'
import { createRegistryClient, type RegistryClient } from './client.ts'
import { schemaRegistryErrors } from './errors.ts'
import { CLIENT_KEYS, REGISTRY_KEYS } from './keys.ts'
import { Lru } from './lru.ts'
import type { RegisteredSchema, ResolvedSchema, SchemaText } from './schema.ts'
import { readSettings } from './settings.ts'
import { readTls } from './tls.ts'

export type RegistrySettings = ValuesOf<typeof REGISTRY_KEYS>

const spec = defineConfig(REGISTRY_KEYS)

/** Throws ConfigError. */
export function registrySettings(props: Props): RegistrySettings {
  return parseConfig(spec, props)
}

/** Schemas that use each other more deeply are refused, and so is a circle. */
const MAX_DEPTH = 32
/** Schemas, and their characters together, that one schema may use: a registry can answer anything. */
const MAX_REFERENCES = 1000
const MAX_CHARACTERS = 16 * 1024 * 1024

/** A source may write to any number of topics, and asks nothing twice for this many of them. */
export const MAX_SUBJECTS = 10_000

/** A short key for what may be long. */
export function cacheKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

/** A registry's client, and what the registry said that never changes: the schema of an id, the id of a schema in a subject. */
export class Registry {
  readonly client: RegistryClient
  readonly #byId: Lru<number, ResolvedSchema>
  readonly #ids: Lru<string, ResolvedSchema>

  constructor(client: RegistryClient, size: number) {
    this.client = client
    this.#byId = new Lru(size)
    this.#ids = new Lru(Math.max(size, MAX_SUBJECTS))
  }

  async byId(id: number, signal: AbortSignal): Promise<ResolvedSchema> {
    const kept = this.#byId.get(id)
    if (kept !== undefined) return kept
    return this.#keep(await this.resolve(await this.client.byId(id, signal), signal))
  }

  /** The schema as the subject has it, registered first if `register`. */
  async inSubject(
    subject: string,
    schema: SchemaText,
    options: { readonly normalize: boolean; readonly register: boolean },
    signal: AbortSignal,
  ): Promise<ResolvedSchema> {
    const { normalize, register } = options
    const key = cacheKey([subject, schema.format, normalize, register, schema.references ?? [], schema.schema])
    const kept = this.#ids.get(key)
    if (kept !== undefined) return kept
    const { id } = await this.client[options.register ? 'register' : 'lookUp'](subject, schema, options, signal)
    // What is written is this text, whatever the text of the id in the registry's normal form is.
    const asked = { id, format: schema.format, schema: schema.schema, references: schema.references ?? [] }
    const resolved = await this.resolve(asked, signal)
    this.#ids.set(key, resolved)
    return resolved
  }

  async resolve(schema: RegisteredSchema, signal: AbortSignal): Promise<ResolvedSchema> {
    const dependencies = { texts: new Map<string, string>(), characters: 0 }
    await this.#collect(schema, dependencies, 0, signal)
    return { ...schema, dependencies: [...dependencies.texts].map(([name, text]) => ({ name, schema: text })) }
  }

  async #collect(
    { references, id }: RegisteredSchema,
    into: { readonly texts: Map<string, string>; characters: number },
    depth: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (depth > MAX_DEPTH) {
      throw schemaRegistryErrors.SCHEMA_REFUSED(`the references of schema ${id} are nested more than ${MAX_DEPTH} deep`)
    }
    for (const { name, subject, version } of references) {
      if (into.texts.has(name)) continue
      const used = await this.client.version(subject, version, signal)
      into.characters += used.schema.length
      if (into.texts.size >= MAX_REFERENCES || into.characters > MAX_CHARACTERS) {
        throw schemaRegistryErrors.SCHEMA_REFUSED(
          `schema ${id} and the schemas that it uses have more than ${MAX_REFERENCES} references or ${MAX_CHARACTERS} characters`,
        )
      }
      await this.#collect(used, into, depth + 1, signal)
      into.texts.set(name, used.schema)
    }
  }

  #keep(schema: ResolvedSchema): ResolvedSchema {
    this.#byId.set(schema.id, schema)
    return schema
  }
}

/** Rejects with ConfigError for settings that are wrong, and files of certificates that cannot be used. Asks no registry. */
export async function checkRegistrySettings(props: Props): Promise<void> {
  await readTls(readSettings(props))
}

/** Registries with different settings in one process that share their connections and caches. */
const MAX_SHARED = 100
const shared = new Lru<string, Registry>(MAX_SHARED)

/** The registry of all converters of this process with the same settings. Throws ConfigError. */
export function sharedRegistry(props: Props): Registry {
  const { 'max.schemas.per.subject': size } = registrySettings(props)
  const own = Object.entries(props).filter(
    ([key]) => Object.hasOwn(CLIENT_KEYS, key) || key.startsWith('request.header.'),
  )
  // The settings hold secrets.
  const key = cacheKey([size, own.sort(([a], [b]) => (a < b ? -1 : 1))])
  let registry = shared.get(key)
  if (registry === undefined) shared.set(key, (registry = new Registry(createRegistryClient(props), size)))
  return registry
}
