import {
  compilePattern,
  type ConfigSpecData,
  embedSpec,
  hasReferences,
  type KeySpec,
  PatternError,
} from '@tributary/config'
import type { FieldError } from '@tributary/connect-api'
import type { PluginEntry } from '@tributary/connect-storage'
import type { SentConfig } from '../http/body.ts'
import { restError } from '../http/rest-errors.ts'

/**
 * A setting whose value lists aliases. Each alias adds settings: `transforms=a` adds `transforms.a.type`, `.predicate`,
 * `.negate` and the keys of the class that `transforms.a.type` names (KIP-66, KIP-585).
 */
interface AliasList {
  readonly key: 'transforms' | 'predicates'
  readonly type: 'transformation' | 'predicate'
  readonly interfaceName: 'Transformation' | 'Predicate'
  readonly group: string
  readonly extra: Readonly<Record<string, KeySpec>>
}

const LISTS: readonly AliasList[] = [
  {
    key: 'transforms',
    type: 'transformation',
    interfaceName: 'Transformation',
    group: 'Transforms',
    extra: {
      negate: {
        type: 'boolean',
        default: false,
        importance: 'medium',
        doc: 'Whether the transformation is applied where the predicate does not hold.',
      },
      predicate: {
        type: 'string',
        default: null,
        importance: 'medium',
        doc: 'Alias of the predicate that decides whether the transformation is applied to a record.',
      },
    },
  },
  { key: 'predicates', type: 'predicate', interfaceName: 'Predicate', group: 'Predicates', extra: {} },
]

/** The settings of one alias. */
export interface AliasSpec {
  readonly spec: ConfigSpecData
  /** `transforms.<alias>.type` */
  readonly key: string
  /** The class behind the name in `key`; null when there is none. */
  readonly class: string | null
  /** The errors of `key` that its validator does not find. */
  readonly errors: readonly string[]
}

/** The settings of each alias, in the order of the lists. */
export function aliasSpecs(sent: SentConfig, plugins: readonly PluginEntry[]): AliasSpec[] {
  return LISTS.flatMap((list) => aliases(sent, list).map((alias) => aliasSpec(list, alias, sent, plugins)))
}

/** Each alias adds a definition to the answer, and work to each record. */
const MAX_ALIASES = 100
const LIST_KEYS: readonly string[] = [...LISTS.map(({ key }) => key), 'topic.creation.groups']

/** Of all groups together. To compile one takes up to 4 ms, in which nobody is answered. */
const MAX_PATTERNS = 100

/** Throws 400 for a list of more than 100 aliases, and for groups of topics with more than 100 regular expressions. */
export function assertFewAliases(sent: SentConfig): void {
  for (const key of LIST_KEYS) {
    const count = listOf(sent[key]).length
    if (count > MAX_ALIASES) throw restError('tooManyAliases', key, count, MAX_ALIASES)
  }
  const patterns = patternsOf(sent).length
  if (patterns > MAX_PATTERNS) throw restError('tooManyPatterns', patterns, MAX_PATTERNS)
}

/** One error for each alias that a list names twice, and for each regular expression of a group of topics that cannot be used. */
export function aliasErrors(sent: SentConfig): FieldError[] {
  const twice = LIST_KEYS.flatMap((key) => {
    const names = listOf(sent[key])
    if (new Set(names).size === names.length) return []
    const message = `Invalid value [${names.join(', ')}] for configuration ${key}: Duplicate alias provided.`
    return [{ field: key, message }]
  })
  return [...twice, ...patternErrors(sent)]
}

function patternErrors(sent: SentConfig): FieldError[] {
  return patternsOf(sent).flatMap(([key, pattern]) => patternError(key, pattern))
}

/** The regular expressions of all groups of topics, each with its key. */
function patternsOf(sent: SentConfig): (readonly [key: string, pattern: string])[] {
  return [...new Set(listOf(sent['topic.creation.groups']))]
    .flatMap((group) => [`topic.creation.${group}.include`, `topic.creation.${group}.exclude`])
    .flatMap((key) => listOf(sent[key]).map((pattern) => [key, pattern] as const))
}

function patternError(field: string, pattern: string): FieldError[] {
  try {
    if (!hasReferences(pattern)) compilePattern(pattern, { whole: true })
    return []
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return [{ field, message: `Invalid value ${pattern} for configuration ${field}: ${error.message}` }]
  }
}

function aliasSpec(list: AliasList, alias: string, sent: SentConfig, plugins: readonly PluginEntry[]): AliasSpec {
  const prefix = `${list.key}.${alias}.`
  const key = `${prefix}type`
  const group = `${list.group}: ${alias}`
  const known = plugins.filter((candidate) => candidate.type === list.type)
  const { plugin, wrong } = findClass(plugins, list, sent[key])
  const own = plugin && { ...plugin.spec, keys: { ...list.extra, ...withoutExtra(plugin.spec.keys, list) } }
  const { keys, ...rest } = embedSpec(own ?? { keys: {} }, { prefix, group, firstOrder: 1 })
  const type: KeySpec = {
    type: 'class',
    // A class can run only if a worker has published it.
    validator: { kind: 'knownClass', names: [...known.flatMap(namesOf), ...(wrong === null ? [] : [wrong.class])] },
    importance: 'high',
    doc: `Class of the ${list.type} '${alias}'.`,
    width: 'long',
    displayName: `${list.interfaceName} type for ${alias}`,
    group,
    order: 0,
    recommended: known.map((candidate) => candidate.class),
  }
  return {
    spec: { ...rest, keys: { [key]: type, ...keys } },
    key,
    class: deferred(sent[key]) ?? plugin?.class ?? wrong?.class ?? null,
    errors: [...(wrong === null ? [] : [wrong.error]), ...negateErrors(prefix, sent)],
  }
}

/** The framework's keys mask those of a class with the same names, as in Connect. */
function withoutExtra(keys: ConfigSpecData['keys'], { extra }: AliasList): ConfigSpecData['keys'] {
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !Object.hasOwn(extra, name)))
}

function negateErrors(prefix: string, sent: SentConfig): string[] {
  if (!Object.hasOwn(sent, `${prefix}negate`) || Object.hasOwn(sent, `${prefix}predicate`)) return []
  return [
    `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`,
  ]
}

/** A value that only a worker can resolve is shown as it was sent. */
function deferred(sent: string | null | undefined): string | null {
  return typeof sent === 'string' && hasReferences(sent) ? sent : null
}

interface FoundClass {
  readonly plugin: PluginEntry | null
  /** A class that there is, but that cannot be used here, and why. */
  readonly wrong: { readonly class: string; readonly error: string } | null
}

function findClass(
  plugins: readonly PluginEntry[],
  { type, interfaceName }: AliasList,
  sent: string | null | undefined,
): FoundClass {
  if (typeof sent !== 'string' || deferred(sent) !== null) return { plugin: null, wrong: null }
  const name = sent.trim()
  const known = plugins.filter((candidate) => candidate.type === type)
  const named = known.filter((each) => namesOf(each).includes(name))
  const plugin = known.find((each) => each.class === name) ?? named.find(isKafkas) ?? named[0]
  if (plugin) return { plugin, wrong: null }
  if (plugins.some((each) => each.class === name)) {
    const error = `Class class ${name} does not implement the ${interfaceName} interface`
    return { plugin: null, wrong: { class: name, error } }
  }
  const forms = [`${name}$Value`, `${name}$Key`].filter((form) => known.some((each) => each.class === form))
  if (forms.length === 0) return { plugin: null, wrong: null }
  const error = `This class is abstract and cannot be created. Did you mean ${forms.join(', ')}?`
  return { plugin: null, wrong: { class: name, error } }
}

/** A simple name that several classes have means Kafka's, as it does where only Kafka's are installed. Workers choose alike. */
function isKafkas({ class: name }: PluginEntry): boolean {
  return name.startsWith('org.apache.kafka.')
}

/** The class, its simple name, and its aliases. */
function namesOf({ class: name, aliases }: PluginEntry): string[] {
  return [name, name.slice(name.lastIndexOf('.') + 1), ...aliases]
}

function aliases(sent: SentConfig, list: AliasList): string[] {
  return [...new Set(listOf(sent[list.key]))]
}

/** Splits a list like Java's ConfigDef: an empty item between two commas is an alias with an empty name. */
function listOf(value: string | null | undefined): string[] {
  const text = (value ?? '').trim()
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}
