import { errorCode, NotReadyError, type Props } from '@tributary/connect-api'
import { Lru } from './lru.ts'
import { Refusals } from './refusals.ts'
import {
  cacheKey,
  MAX_SUBJECTS,
  type Registry,
  type RegistrySettings,
  registrySettings,
  sharedRegistry,
} from './registry.ts'
import type { ResolvedSchema, SchemaText } from './schema.ts'
import { subjectStrategy } from './subjects.ts'

export interface DescribedSchema extends SchemaText {
  /** The full name of the record, for the subject strategies; null: none. */
  readonly recordName: string | null
}

/** The part of a SchemaWriter that depends on the format. `T` is what the converter needs of a schema to write a record. */
export interface WriterFormat<K extends object, T> {
  /** The schema of a record in the text of the format. Throws DataError. */
  describe(key: K): DescribedSchema
  /**
   * Makes what writes records of `key` with the schema that was chosen. Called once a key and id. `strict`: the chosen schema is not the
   * one that `describe` gave, and the user wants records refused that it cannot read. Throws DataError.
   */
  prepare(key: K, chosen: ResolvedSchema, strict: boolean): T
}

interface Entry<T> {
  readonly prepared: T
  /** Monotonic ms after which the latest version is asked for again. */
  readonly endsAt: number
}

interface Chosen {
  readonly schema: ResolvedSchema
  readonly endsAt: number
  /** No record has used it yet. The record that waited for it takes it even if its time has ended meanwhile. */
  isNew: boolean
}

/** Chosen schemas for which what writes the records of a key is kept. */
const MAX_PREPARED = 100

/**
 * Finds the registered schema with which a record is written: registers, looks up, or takes the latest version or a given id. `K` is an
 * object that stands for the schema of a record, such as Connect's; schemas are compared by identity first, then by text.
 */
export class SchemaWriter<K extends object, T> {
  readonly #settings: RegistrySettings
  readonly #registry: Registry
  readonly #isKey: boolean
  readonly #format: WriterFormat<K, T>
  readonly #subjectOf: ReturnType<typeof subjectStrategy>
  /** Weak, so that thousands of topics do not hold schemas that no source uses any more. */
  readonly #topics = new Lru<string, WeakMap<K, Entry<T>>>(MAX_SUBJECTS)
  /** By the id of the chosen schema: topics with the same one share what is made. */
  readonly #prepared = new WeakMap<K, Lru<number, T>>()
  readonly #chosen: Lru<string, Chosen>
  readonly #refusals: Refusals<string>
  readonly #now: () => number
  /** null: schemas may be registered. */
  #told: ((what: string) => void) | null = null
  #lastName: string | null = null
  #lastTopic: WeakMap<K, Entry<T>> | null = null
  #lastKey: K | null = null
  #lastEntry: Entry<T> | null = null

  /** `props` has the keys of REGISTRY_KEYS without the prefix of the converter. Throws ConfigError. `now` in ms, monotonic. */
  constructor(props: Props, isKey: boolean, format: WriterFormat<K, T>, now: () => number = () => performance.now()) {
    this.#settings = registrySettings(props)
    this.#registry = sharedRegistry(props)
    this.#isKey = isKey
    this.#format = format
    this.#subjectOf = subjectStrategy(this.#settings[`${isKey ? 'key' : 'value'}.subject.name.strategy`])
    this.#chosen = new Lru(Math.max(this.#settings['max.schemas.per.subject'], MAX_SUBJECTS))
    this.#refusals = new Refusals(this.#settings['max.schemas.per.subject'], now)
    this.#now = now
  }

  /** See Converter. A record whose schema is not registered is written with the id 0. */
  readOnly(told: (what: string) => void): void {
    this.#told = told
  }

  /** Throws NotReadyError until the registry has answered, DataError for what it refuses. */
  find(topic: string, key: K): T {
    const isLast = topic === this.#lastName
    const byKey = isLast ? this.#lastTopic! : this.#topicOf(topic)
    let entry = isLast && key === this.#lastKey ? this.#lastEntry! : byKey.get(key)
    if (entry === undefined || (entry.endsAt !== Infinity && this.#now() >= entry.endsAt)) {
      byKey.set(key, (entry = this.#make(topic, key)))
    }
    this.#lastKey = key
    this.#lastEntry = entry
    return entry.prepared
  }

  #topicOf(topic: string): WeakMap<K, Entry<T>> {
    let byKey = this.#topics.get(topic)
    if (byKey === undefined) this.#topics.set(topic, (byKey = new WeakMap()))
    this.#lastName = topic
    this.#lastTopic = byKey
    this.#lastKey = null
    this.#lastEntry = null
    return byKey
  }

  #make(topic: string, key: K): Entry<T> {
    const described = this.#format.describe(key)
    const subject = this.#subjectOf(topic, this.#isKey, described.recordName)
    const text = cacheKey([subject, described.references ?? [], described.schema])
    this.#refusals.check(text)
    const chosen = this.#chosen.get(text)
    if (chosen === undefined || (!chosen.isNew && this.#now() >= chosen.endsAt)) {
      throw new NotReadyError(`the schema of subject ${subject}`, async (signal) => {
        const schema = await this.#refusals.watch(text, this.#choose(subject, described, signal))
        this.#chosen.set(text, { schema, endsAt: this.#now() + this.#lifeMs(), isNew: true })
      })
    }
    chosen.isNew = false
    return { prepared: this.#prepare(key, chosen.schema), endsAt: chosen.endsAt }
  }

  #prepare(key: K, schema: ResolvedSchema): T {
    let byId = this.#prepared.get(key)
    if (byId === undefined) this.#prepared.set(key, (byId = new Lru(MAX_PREPARED)))
    let prepared = byId.get(schema.id)
    if (prepared === undefined) byId.set(schema.id, (prepared = this.#format.prepare(key, schema, this.#isStrict())))
    return prepared
  }

  /** The order is Confluent's: `auto.register.schemas` wins. */
  async #choose(subject: string, described: DescribedSchema, signal: AbortSignal): Promise<ResolvedSchema> {
    const settings = this.#settings
    const registry = this.#registry
    const options = { normalize: settings['normalize.schemas'], register: settings['auto.register.schemas'] }
    if (!options.register && settings['use.schema.id'] >= 0) {
      return await registry.byId(settings['use.schema.id'], signal)
    }
    if (!options.register && settings['use.latest.version']) {
      return await registry.resolve(await registry.client.latest(subject, signal), signal)
    }
    if (this.#told !== null && options.register) return await this.#lookUp(this.#told, subject, described, signal)
    return await registry.inSubject(subject, described, options, signal)
  }

  async #lookUp(
    told: (what: string) => void,
    subject: string,
    described: DescribedSchema,
    signal: AbortSignal,
  ): Promise<ResolvedSchema> {
    const { format, schema, references = [] } = described
    const options = { normalize: this.#settings['normalize.schemas'], register: false }
    try {
      return await this.#registry.inSubject(subject, described, options, signal)
    } catch (error) {
      if (errorCode(error) !== 'SCHEMA_NOT_FOUND') throw error
      told(`A schema of the subject ${subject} would be registered. Its id is not known yet: 0 stands for it.`)
      return await this.#registry.resolve({ id: 0, format, schema, references }, signal)
    }
  }

  #isStrict(): boolean {
    const settings = this.#settings
    if (settings['auto.register.schemas']) return false
    if (settings['use.schema.id'] >= 0) return settings['id.compatibility.strict']
    return settings['use.latest.version'] && settings['latest.compatibility.strict']
  }

  #lifeMs(): number {
    const { 'latest.cache.ttl.sec': seconds } = this.#settings
    const takesLatest = !this.#settings['auto.register.schemas'] && this.#settings['use.latest.version']
    return takesLatest && seconds >= 0 ? seconds * 1000 : Infinity
  }
}
