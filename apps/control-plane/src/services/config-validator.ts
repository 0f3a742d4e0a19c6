import {
  type ConfigDefinition,
  ConfigException,
  type ConfigSpecData,
  type ConfigValue,
  connectFrame,
  describeConfig,
  familyOf,
  hasReferences,
  invalidValue,
  validateConfig,
} from '@tributary/config'
import type { FieldError } from '@tributary/connect-api'
import { LENIENT_CONNECTOR_KEYS, SOURCE_CONNECTOR_KEYS, TRIBUTARY_CONNECTOR_KEYS } from '@tributary/connect-api'
import type { InternalTopicCheck, PluginEntry, PluginStore } from '@tributary/connect-storage'
import type { SentConfig } from '../http/body.ts'
import { restError } from '../http/rest-errors.ts'
import { aliasErrors, aliasSpecs, assertFewAliases } from './alias-specs.ts'
import { type MisspeltKey, misspeltKeys } from './misspelt-keys.ts'
import { namedConverters } from './converter-specs.ts'
import type { Workers } from './workers.ts'

/** One setting in the answer of validate. `definition` is null for a key that no spec knows. */
export interface ConfigInfo {
  readonly definition: ConfigDefinition | null
  readonly value: ConfigValue
}

export interface ConfigInfos {
  readonly name: string
  readonly error_count: number
  readonly groups: readonly string[]
  readonly configs: readonly ConfigInfo[]
}

const DEAD_LETTER_TOPIC = 'errors.deadletterqueue.topic.name'

export interface ConfigValidatorOptions {
  readonly plugins: PluginStore
  readonly workers: Workers
  /** Names the internal topics, to which no connector may write. */
  readonly internalTopic: InternalTopicCheck
  /** True: only Kafka Connect's own framework keys are known. */
  readonly strict: boolean
}

/**
 * Validates a connector's configuration in two steps. First the specs are applied that workers published as data. If
 * they find no error, a live worker is asked: only a worker can run the plugin's code, reach its network and resolve
 * `${…}` references.
 */
export class ConfigValidator {
  readonly #plugins: PluginStore
  readonly #workers: Workers
  readonly #framework: ConfigSpecData
  readonly #strict: boolean
  readonly #internalTopic: InternalTopicCheck

  constructor({ plugins, workers, strict, internalTopic }: ConfigValidatorOptions) {
    this.#plugins = plugins
    this.#workers = workers
    this.#strict = strict
    this.#internalTopic = internalTopic
    this.#framework = {
      keys: strict
        ? SOURCE_CONNECTOR_KEYS
        : { ...SOURCE_CONNECTOR_KEYS, ...LENIENT_CONNECTOR_KEYS, ...TRIBUTARY_CONNECTOR_KEYS },
    }
  }

  /** The connector's own keys, then the framework's keys. */
  describe(plugin: PluginEntry): ConfigDefinition[] {
    const own = describeConfig(plugin.spec)
    if (plugin.type !== 'source' && plugin.type !== 'sink') return own
    return [...own, ...describeConfig(this.#framework).filter(({ name }) => !Object.hasOwn(plugin.spec.keys, name))]
  }

  /** The keys that are probably misspelt. Throws 400 when the class is missing or unknown. */
  misspelt(sent: SentConfig): MisspeltKey[] {
    const plugin = this.#connectorPlugin(sent)
    const ours = { keys: TRIBUTARY_CONNECTOR_KEYS }
    return misspeltKeys(Object.keys(sent), [plugin.spec, this.#framework, ours])
  }

  /**
   * Throws 400 when the class is missing or unknown, and for too many aliases. Every other mistake is an error in the answer. Unless strict, the answer
   * lists a misspelt key too, without a definition and with the key that was probably meant as its recommended value. Its own value may be a secret, so it is not shown.
   * `signal`: the client has gone.
   */
  async validate(sent: SentConfig, signal?: AbortSignal): Promise<ConfigInfos> {
    const plugin = this.#connectorPlugin(sent)
    assertFewAliases(sent)
    const plugins = this.#plugins.plugins()
    const converters = namedConverters(sent, plugins)
    const transforms = aliasSpecs(sent, plugins)
    const infos = [
      ...this.#infos(this.#framework, sent, plugin.spec),
      ...transforms.flatMap(({ spec }) => this.#infos(spec, sent)),
      ...this.#infos(plugin.spec, sent),
      ...converters.flatMap(({ key, spec, settings }) => this.#infos(spec, settings).map((info) => behind(key, info))),
    ]
    const byName = new Map<string, ConfigInfo>()
    for (const info of infos) {
      // Every spec that does not know a key reports its null as an error. The spec that knows the key has the
      // definition, which wins.
      const { name } = info.value
      const known = byName.get(name)
      if (known !== undefined && info.definition === null) continue
      // The key takes the place of its definition, not that of the first spec that reports its null.
      if (known?.definition === null) byName.delete(name)
      byName.set(name, info)
    }
    for (const { key, class: name, error } of converters) setClass(byName, key, name, error === null ? [] : [error])
    for (const { key, class: name, errors } of transforms) setClass(byName, key, name, errors)
    for (const { field, message } of this.#topicErrors(plugin, sent)) addError(byName, field, message)
    for (const { field, message } of aliasErrors(sent)) addError(byName, field, message)
    if (![...byName.values()].some(({ value }) => value.errors.length > 0)) {
      const found = await this.#workers.validate(plugin, sent as Readonly<Record<string, string>>, signal)
      for (const { field, message } of found) addError(byName, field, message)
    }
    if (!this.#strict) {
      for (const { name, nearest } of this.misspelt(sent)) {
        const value = { name, value: null, recommended_values: [nearest], errors: [], visible: true }
        if (!byName.has(name)) byName.set(name, { definition: null, value })
      }
    }
    const configs = [...byName.values()].sort((a, b) => Number(a.definition !== null) - Number(b.definition !== null))
    return {
      name: sent['connector.class'] ?? plugin.class,
      error_count: configs.reduce((count, { value }) => count + value.errors.length, 0),
      groups: [...new Set(configs.flatMap(({ definition }) => definition?.group ?? []))],
      configs,
    }
  }

  /** One error for each setting that names an internal topic, by its naming or by the settings of this cluster. */
  #topicErrors({ spec }: PluginEntry, sent: SentConfig): FieldError[] {
    return Object.entries(sent).flatMap(([field, value]) => {
      const validator = (Object.hasOwn(spec.keys, field) ? spec.keys[field] : familyOf(spec, field)?.spec)?.validator
      const target = field === DEAD_LETTER_TOPIC || validator?.kind === 'topicName'
      if (!target || typeof value !== 'string' || hasReferences(value)) return []
      const reason = this.#internalTopic(value.trim())
      return reason === null ? [] : [{ field, message: invalidValue(value.trim(), field, reason) }]
    })
  }

  #connectorPlugin(sent: SentConfig): PluginEntry {
    const name = sent['connector.class']
    if (name === undefined || name === null) throw restError('noConnectorType', sent)
    const plugin = this.#plugins.find(name)
    if (plugin?.type === 'source' || plugin?.type === 'sink') return plugin
    throw restError('unknownClass', name, this.#plugins.plugins().filter(isConnector))
  }

  /**
   * The definitions of one spec with their values. A `${…}` reference is not checked here, because only a worker can
   * resolve it.
   */
  #infos(spec: ConfigSpecData, sent: SentConfig, without: ConfigSpecData = { keys: {} }): ConfigInfo[] {
    const definitions = new Map(describeConfig(spec).map((definition) => [definition.name, definition]))
    return validateConfig(spec, sent, { deferReferences: true })
      .values.filter(({ name }) => !Object.hasOwn(without.keys, name))
      .map((value) => ({ definition: definitions.get(value.name) ?? null, value }))
  }
}

/** Throws ConfigException with every error of the answer, as Connect answers a change. */
export function mustBeValid({ configs }: ConfigInfos): void {
  const problems = configs.flatMap(({ value }) => value.errors.map((message) => ({ name: value.name, message })))
  if (problems.length > 0) throw new ConfigException(connectFrame(problems), problems)
}

export function isConnector(plugin: PluginEntry): boolean {
  return plugin.type === 'source' || plugin.type === 'sink'
}

/** A converter's own setting under its full key. The text of its errors keeps the key that the converter knows. */
function behind(key: string, { definition, value }: ConfigInfo): ConfigInfo {
  const name = `${key}.${value.name}`
  return { definition: definition && { ...definition, name }, value: { ...value, name } }
}

/** Shows the class behind a name; null when there is no such class. */
function setClass(infos: Map<string, ConfigInfo>, key: string, name: string | null, more: readonly string[]): void {
  const info = infos.get(key)
  if (info === undefined) return
  infos.set(key, { ...info, value: { ...info.value, value: name, errors: [...info.value.errors, ...more] } })
}

function addError(infos: Map<string, ConfigInfo>, field: string, message: string): void {
  const info = infos.get(field)
  const value = info?.value ?? { name: field, value: null, recommended_values: [], errors: [], visible: true }
  if (value.errors.includes(message)) return
  infos.set(field, { definition: info?.definition ?? null, value: { ...value, errors: [...value.errors, message] } })
}
