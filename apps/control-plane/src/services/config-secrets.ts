import { type ConfigSpecData, ConfigException, HIDDEN } from '@tributary/config'
import { LENIENT_CONNECTOR_KEYS, SOURCE_CONNECTOR_KEYS, TRIBUTARY_CONNECTOR_KEYS } from '@tributary/connect-api'
import type { OffsetEntry } from '@tributary/connect-api'
import type { ConnectorConfig, PluginStore } from '@tributary/connect-storage'
import { hideSecrets, redact } from '@tributary/telemetry'
import { ANONYMOUS, type Identity } from '../access/identity.ts'
import { holdsSecret, looksSecret, masked, secretKeys } from '../access/mask.ts'
import { may, seesSecrets } from '../access/rights.ts'
import type { SentConfig } from '../http/body.ts'
import { RestError, restError } from '../http/rest-errors.ts'
import { aliasSpecs } from './alias-specs.ts'
import type { ConfigInfos } from './config-validator.ts'
import type { ConnectorInfo, Task } from './connector-views.ts'
import { namedConverters } from './converter-specs.ts'

/** What remains of a configuration for a caller without the right to read it. Clients read the class from there. */
const ALWAYS_SHOWN = ['name', 'connector.class']

const FRAMEWORK: ConfigSpecData = {
  keys: { ...SOURCE_CONNECTOR_KEYS, ...LENIENT_CONNECTOR_KEYS, ...TRIBUTARY_CONNECTOR_KEYS },
}

/**
 * Decides how much of a configuration a caller sees, and what a caller who cannot see the secrets may do with them:
 * keep them where they are, but not send them elsewhere.
 */
export class ConfigSecrets {
  readonly #plugins: PluginStore
  /** The secret keys of a stored configuration, found once, because a client may read it all the time. */
  #found = new WeakMap<ConnectorConfig, ReadonlySet<string>>()

  constructor(plugins: PluginStore) {
    this.#plugins = plugins
    plugins.listen(() => (this.#found = new WeakMap()))
  }

  /**
   * The configuration of a connector, or of one of its tasks, as the caller may see it: all of it; with its secrets
   * masked for one who may alter but not read it; else only its name and class.
   */
  shown(caller: Identity, connector: string, config: ConnectorConfig): ConnectorConfig {
    if (seesSecrets(caller, connector)) return config
    if (may(caller, 'configs', connector)) return this.masked(config)
    return Object.fromEntries(Object.entries(config).filter(([key]) => ALWAYS_SHOWN.includes(key)))
  }

  info(caller: Identity, info: ConnectorInfo): ConnectorInfo {
    return { ...info, config: this.shown(caller, info.name, info.config) }
  }

  tasks(caller: Identity, tasks: readonly Task[]): Task[] {
    return tasks.map(({ id, config }) => ({ id, config: this.shown(caller, id.connector, config) }))
  }

  masked(config: ConnectorConfig): ConnectorConfig {
    return masked(config, this.secretsOf(config))
  }

  /**
   * Puts the stored values in place of the masks in `wanted`, which is the configuration that would be stored. `sent`
   * is the part of it that the caller sent. Throws 400 for a mask without a stored value, and 403 when a caller who
   * does not see the secrets would keep one and change another key: the secret would go to wherever the change leads.
   * While authentication is off nothing is masked, and `[hidden]` is a text like any other, as in Kafka Connect.
   */
  settle(
    caller: Identity,
    connector: string,
    stored: ConnectorConfig | null,
    wanted: SentConfig,
    sent = wanted,
  ): SentConfig {
    if (caller.name === ANONYMOUS.name) return wanted
    const settled = Object.fromEntries(
      Object.entries(wanted).map(([key, value]) => {
        if (value !== HIDDEN) return [key, value]
        if (stored === null || !Object.hasOwn(stored, key)) throw restError('maskWithoutValue', key)
        return [key, stored[key]!]
      }),
    )
    if (stored === null || seesSecrets(caller, connector)) return settled
    const secrets = this.secretsOf(stored)
    const plain = (key: string): boolean => Object.hasOwn(sent, key) && sent[key] !== HIDDEN
    const kept = [...secrets].filter((key) => Object.hasOwn(settled, key) && !plain(key))
    // A secret in plain counts as a change even when it is the stored one, so that nobody learns that it is.
    const changed = [...new Set([...Object.keys(stored), ...Object.keys(settled)])].filter(
      (key) => settled[key] !== stored[key] || (secrets.has(key) && plain(key)),
    )
    if (kept.length > 0 && changed.length > 0) throw restError('secretsKept', connector, kept, changed)
    return settled
  }

  /** Runs a change or a judgement of a configuration. Its errors show no secret that the caller does not see. */
  async hiding<T>(
    caller: Identity,
    connector: string,
    stored: ConnectorConfig | null,
    run: () => Promise<T>,
  ): Promise<T> {
    if (stored === null || seesSecrets(caller, connector)) return run()
    const endRedaction = this.#hide(stored)
    try {
      return await run()
    } catch (error) {
      if (error instanceof RestError) throw new RestError(error.status, redact(error.message))
      if (!(error instanceof ConfigException)) throw error
      throw new ConfigException(
        redact(error.message),
        error.errors.map(({ name, message }) => ({ name, message: redact(message) })),
      )
    } finally {
      endRedaction()
    }
  }

  /** Offsets without the secrets that the caller does not see: the source partition of a feed may be its URL. */
  offsets(caller: Identity, connector: string, offsets: readonly OffsetEntry[]): readonly OffsetEntry[] {
    if (seesSecrets(caller, connector)) return offsets
    const shown = <T>(values: Readonly<Record<string, T>>): Record<string, T | string> =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => {
          const secret = looksSecret(name) || (typeof value === 'string' && holdsSecret(value))
          return [name, secret ? HIDDEN : value]
        }),
      )
    return offsets.map(({ partition, offset }) => ({ partition: shown(partition), offset: offset && shown(offset) }))
  }

  /** The answer of a validation without the secrets that the caller does not see. */
  infos(caller: Identity, connector: string, stored: ConnectorConfig | null, infos: ConfigInfos): ConfigInfos {
    if (stored === null || seesSecrets(caller, connector)) return infos
    const secrets = this.secretsOf(stored)
    const endRedaction = this.#hide(stored)
    const configs = infos.configs.map(({ definition, value }) => ({
      definition,
      value: {
        ...value,
        value: value.value !== null && secrets.has(value.name) ? HIDDEN : value.value,
        errors: value.errors.map(redact),
      },
    }))
    endRedaction()
    return { ...infos, configs }
  }

  #hide(stored: ConnectorConfig): () => void {
    return hideSecrets([...this.secretsOf(stored)].map((key) => stored[key]!))
  }

  /** The keys of a configuration whose values are secrets. */
  secretsOf(config: ConnectorConfig): ReadonlySet<string> {
    const secrets = this.#found.get(config) ?? this.#findSecrets(config)
    this.#found.set(config, secrets)
    return secrets
  }

  #findSecrets(config: ConnectorConfig): ReadonlySet<string> {
    const plugins = this.#plugins.plugins()
    const plugin = this.#plugins.find(config['connector.class'] ?? '')
    const converters = namedConverters(config, plugins).map(({ key, spec }) => behind(`${key}.`, spec))
    return secretKeys(config, [
      ...(plugin ? [plugin.spec] : []),
      FRAMEWORK,
      ...aliasSpecs(config, plugins).map(({ spec }) => spec),
      ...converters,
    ])
  }
}

/** The spec with a prefix before each key. */
function behind(prefix: string, { keys, prefixes = {} }: ConfigSpecData): ConfigSpecData {
  const renamed = <T>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).map(([key, value]) => [prefix + key, value]))
  return { keys: renamed(keys), prefixes: renamed(prefixes) }
}
