import { type ConfigSpecData, compilePattern, hasReferences, type KeySpec, PatternError } from '@tributary/config'
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
  readonly group: string
  readonly extra: Readonly<Record<string, KeySpec>>
}

const LISTS: readonly AliasList[] = [
  {
    key: 'transforms',
    type: 'transformation',
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
  { key: 'predicates', type: 'predicate', group: 'Predicates', extra: {} },
]

/** One spec for each alias, in the order of the lists. */
export function pluginSpecs(sent: SentConfig, plugins: readonly PluginEntry[]): ConfigSpecData[] {
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

function aliasSpec(list: AliasList, alias: string, sent: SentConfig, plugins: readonly PluginEntry[]): ConfigSpecData {
  const prefix = `${list.key}.${alias}.`
  const plugin = findClass(plugins, list, sent[`${prefix}type`])
  const known = plugins.filter((candidate) => candidate.type === list.type)
  const type: KeySpec = {
    type: 'class',
    // A class can run only if a worker has published it.
    validator: { kind: 'knownClass', names: known.flatMap((candidate) => [candidate.class, ...candidate.aliases]) },
    importance: 'high',
    doc: `Class of the ${list.type} '${alias}'.`,
    width: 'long',
    displayName: `${list.type === 'transformation' ? 'Transformation' : 'Predicate'} type for ${alias}`,
    recommended: known.map((candidate) => candidate.class),
  }
  const keys = { type, ...plugin?.spec.keys, ...(plugin ? list.extra : {}) }
  return {
    keys: Object.fromEntries(
      Object.entries(keys).map(([name, key], order) => [
        prefix + name,
        { ...key, displayName: key.displayName ?? name, group: `${list.group}: ${alias}`, order },
      ]),
    ),
  }
}

function findClass(
  plugins: readonly PluginEntry[],
  list: AliasList,
  name: string | null | undefined,
): PluginEntry | undefined {
  if (typeof name !== 'string') return undefined
  return plugins.find((plugin) => plugin.type === list.type && (plugin.class === name || plugin.aliases.includes(name)))
}

function aliases(sent: SentConfig, list: AliasList): string[] {
  return [...new Set(listOf(sent[list.key]))]
}

/** Splits a list like Java's ConfigDef: an empty item between two commas is an alias with an empty name. */
function listOf(value: string | null | undefined): string[] {
  const text = (value ?? '').trim()
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}
