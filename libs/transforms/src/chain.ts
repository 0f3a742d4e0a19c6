import { ConfigException, invalidValue, secretsOf } from '@tributary/config'
import {
  ConfigError,
  type ConnectRecord,
  type Predicate,
  type PredicatePlugin,
  type Props,
  type Transformation,
  type TransformationPlugin,
} from '@tributary/connect-api'
import { transformErrors } from './errors.ts'

/** The plugins that a chain may name. */
export interface ChainPlugins {
  readonly transformations: readonly TransformationPlugin[]
  readonly predicates: readonly PredicatePlugin[]
}

/** One transform of a chain, with its predicate. */
export interface TransformationStage extends Transformation {
  readonly alias: string
  /** The class of the transform, as dead letters and logs name it. */
  readonly className: string
}

/**
 * Makes the chain that `transforms` and `predicates` configure, as Kafka Connect 3.9 does (KIP-66, KIP-585): the stages in the order
 * of `transforms`. Throws ConfigError, its field the whole key. Whoever gets the chain closes its stages.
 */
export function createChain(props: Props, plugins: ChainPlugins): readonly TransformationStage[] {
  const stages: Stage[] = []
  try {
    for (const alias of aliasesOf('transforms', props)) stages.push(createStage(alias, props, plugins))
    // A predicate that no transform uses must be one all the same.
    for (const alias of aliasesOf('predicates', props)) predicateClass(alias, props, plugins)
  } catch (error) {
    closeChain(stages)
    throw error
  }
  return stages
}

/** The texts of the settings of a chain that must not be shown, as the specs of its classes say. Throws nothing for a wrong chain. */
export function secretsOfChain(props: Props, { transformations, predicates }: ChainPlugins): string[] {
  const secrets = (key: 'transforms' | 'predicates', plugins: ChainPlugins[keyof ChainPlugins]): string[] =>
    listOf(own(props, key)).flatMap((alias) => {
      const prefix = `${key}.${alias}.`
      const plugin = pluginOf<TransformationPlugin | PredicatePlugin>(plugins, own(props, `${prefix}type`)?.trim())
      return plugin === undefined ? [] : secretsOf(plugin.spec, withPrefix(props, prefix, OWN_KEYS))
    })
  return [...secrets('transforms', transformations), ...secrets('predicates', predicates)]
}

/** Closes each stage, whatever another one throws. Returns what was thrown. */
export function closeChain(stages: readonly Transformation[]): readonly unknown[] {
  const failures: unknown[] = []
  for (const stage of stages) {
    try {
      stage.close?.()
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}

/** The settings of a chain that only the chain itself reads. */
const OWN_KEYS: ReadonlySet<string> = new Set(['type', 'predicate', 'negate'])

function createStage(alias: string, props: Props, plugins: ChainPlugins): Stage {
  const prefix = `transforms.${alias}.`
  const predicateAlias = own(props, `${prefix}predicate`)
  if (own(props, `${prefix}negate`) !== undefined && predicateAlias === undefined) {
    throw transformErrors.TRANSFORM_CONFIG(negateAlone(prefix), { field: `${prefix}type` })
  }
  const plugin = findClass(plugins.transformations, `${prefix}type`, own(props, `${prefix}type`), 'Transformation')
  const predicate = predicateAlias === undefined ? null : createPredicate(predicateAlias.trim(), prefix, props, plugins)
  const negate = own(props, `${prefix}negate`)?.trim().toLowerCase() === 'true'
  try {
    const transformation = created(plugin, prefix, withPrefix(props, prefix, OWN_KEYS))
    return new Stage(alias, plugin.class, transformation, predicate, negate)
  } catch (error) {
    predicate?.close?.()
    throw error
  }
}

function createPredicate(alias: string, transform: string, props: Props, plugins: ChainPlugins): Predicate {
  const prefix = `predicates.${alias}.`
  if (!listOf(props['predicates']).includes(alias)) {
    throw transformErrors.TRANSFORM_CONFIG(`Unknown configuration '${prefix}type'`, { field: `${transform}predicate` })
  }
  return created(predicateClass(alias, props, plugins), prefix, withPrefix(props, prefix, new Set(['type'])))
}

function predicateClass(alias: string, props: Props, { predicates }: ChainPlugins): PredicatePlugin {
  const key = `predicates.${alias}.type`
  return findClass(predicates, key, own(props, key), 'Predicate')
}

/** Kafka Connect's text for a `negate` that negates nothing. `prefix`: `transforms.<alias>.` */
function negateAlone(prefix: string): string {
  return `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`
}

class Stage implements TransformationStage {
  readonly alias: string
  readonly className: string
  readonly #transformation: Transformation
  readonly #predicate: Predicate | null
  readonly #negate: boolean

  constructor(
    alias: string,
    className: string,
    transformation: Transformation,
    predicate: Predicate | null,
    negate: boolean,
  ) {
    this.alias = alias
    this.className = className
    this.#transformation = transformation
    this.#predicate = predicate
    this.#negate = negate
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    if (this.#predicate !== null && this.#predicate.test(record) === this.#negate) return record
    return this.#transformation.apply(record)
  }

  close(): void {
    try {
      this.#transformation.close?.()
    } finally {
      this.#predicate?.close?.()
    }
  }
}

/** The plugin of a class, its alias, or its simple name (`InsertField$Value`). */
function pluginOf<P extends TransformationPlugin | PredicatePlugin>(
  plugins: readonly P[],
  name: string | undefined,
): P | undefined {
  if (name === undefined) return undefined
  const named = plugins.filter((plugin) => isNamed(plugin, name))
  return plugins.find((plugin) => plugin.class === name) ?? named.find(isKafkas) ?? named[0]
}

/** As `pluginOf`. Throws Kafka's ConfigException texts. */
function findClass<P extends TransformationPlugin | PredicatePlugin>(
  plugins: readonly P[],
  key: string,
  value: string | undefined,
  kind: 'Transformation' | 'Predicate',
): P {
  if (value === undefined) {
    throw transformErrors.TRANSFORM_CONFIG(invalidValue(null, key, `Not a ${kind}`), { field: key })
  }
  const name = value.trim()
  const found = pluginOf(plugins, name)
  if (found) return found
  throw transformErrors.TRANSFORM_UNKNOWN(invalidValue(name, key, `Class ${name} could not be found.`), { field: key })
}

/** A simple name that several classes have means Kafka's, as it does where only Kafka's are installed. */
function isKafkas({ class: name }: TransformationPlugin | PredicatePlugin): boolean {
  return name.startsWith('org.apache.kafka.')
}

function isNamed({ class: name, aliases }: TransformationPlugin | PredicatePlugin, wanted: string): boolean {
  return name.slice(name.lastIndexOf('.') + 1) === wanted || (aliases?.includes(wanted) ?? false)
}

/** Errors of a plugin name its own keys; the chain knows the prefix. */
function created<I>(plugin: { create(props: Props): I }, prefix: string, props: Props): I {
  try {
    return plugin.create(props)
  } catch (error) {
    if (error instanceof ConfigException) {
      const field = prefix + (error.errors[0]?.name ?? 'type')
      const text = error.errors.map(({ message }) => message).join('\n') || error.message
      throw transformErrors.TRANSFORM_CONFIG(text, { cause: error, field })
    }
    if (!(error instanceof ConfigError)) throw error
    const field = prefix + (error.field ?? 'type')
    throw transformErrors.TRANSFORM_CONFIG(error.message, { cause: error, field })
  }
}

function aliasesOf(key: 'transforms' | 'predicates', props: Props): readonly string[] {
  const aliases = listOf(own(props, key))
  if (new Set(aliases).size === aliases.length) return aliases
  const text = invalidValue(`[${aliases.join(', ')}]`, key, 'Duplicate alias provided.')
  throw transformErrors.TRANSFORM_CONFIG(text, { field: key })
}

/** Splits a list like Java's ConfigDef: an empty item between two commas is an alias with an empty name. */
function listOf(value: string | undefined): string[] {
  const text = (value ?? '').trim()
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}

/** The keys come from users: `__proto__` must not find what every object inherits. */
function own(props: Props, key: string): string | undefined {
  return Object.hasOwn(props, key) ? props[key] : undefined
}

function withPrefix(props: Props, prefix: string, without: ReadonlySet<string>): Props {
  return Object.fromEntries(
    Object.entries(props)
      .filter(([key]) => key.startsWith(prefix) && !without.has(key.slice(prefix.length)))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  )
}
