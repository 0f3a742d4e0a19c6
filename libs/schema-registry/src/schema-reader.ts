import { NotReadyError, type Props } from '@tributary/connect-api'
import { Lru } from './lru.ts'
import { Refusals } from './refusals.ts'
import { type Registry, registrySettings, sharedRegistry } from './registry.ts'
import type { ResolvedSchema } from './schema.ts'

/** Finds the schema with which a record was written. `T` is what the converter needs of a schema to read a record. */
export class SchemaReader<T extends object> {
  readonly #registry: Registry
  readonly #prepare: (schema: ResolvedSchema) => T
  readonly #prepared: Lru<number, T>
  readonly #known: Lru<number, ResolvedSchema>
  readonly #refusals: Refusals<number>

  /**
   * `prepare` is called once a schema, and throws DataError for one that cannot be used. `props` has the keys of REGISTRY_KEYS without the
   * prefix of the converter. Throws ConfigError.
   */
  constructor(props: Props, prepare: (schema: ResolvedSchema) => T) {
    const size = registrySettings(props)['max.schemas.per.subject']
    this.#registry = sharedRegistry(props)
    this.#prepare = prepare
    this.#prepared = new Lru(size)
    this.#known = new Lru(size)
    this.#refusals = new Refusals(size)
  }

  /** Throws NotReadyError until the registry has answered, DataError for an id that it does not have. */
  find(id: number): T {
    const prepared = this.#prepared.get(id)
    if (prepared !== undefined) return prepared
    this.#refusals.check(id)
    const schema = this.#known.get(id)
    if (schema === undefined) {
      throw new NotReadyError(`schema ${id}`, async (signal) => {
        this.#known.set(id, await this.#refusals.watch(id, this.#registry.byId(id, signal)))
      })
    }
    const made = this.#prepare(schema)
    this.#prepared.set(id, made)
    return made
  }
}
