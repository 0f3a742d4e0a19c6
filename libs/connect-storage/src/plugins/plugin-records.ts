import {
  compilePattern,
  type ConfigSpecData,
  describeConfig,
  type KeySpec,
  PatternError,
  type PrefixSpec,
  type Rule,
  type Validator,
} from '@tributary/config'
import { boundedJson } from '../schema/checks.ts'
import { LIMITS } from '../schema/limits.ts'
import { flag, list, number, oneOf, record, type Shape, shape, text, wrong } from '../schema/shape.ts'
import type { PluginEntry } from '../types.ts'

/**
 * The values of the plugins topic. A control plane applies the spec in a value to the configurations that users send, and
 * shows the value in its answers, so every member is checked. Members that this version does not know are left out, and
 * so are checks and rules of a kind that it does not know: a newer worker, which knows them, checks again.
 */

const NAME = text(LIMITS.nameChars, /^\S/)
const KEY = text(LIMITS.nameChars)
const WORDS = text(10_000)
const NAMES = list(KEY, 1000)
const KEYS: Shape<string[]> = (value, at) => {
  const names = NAMES(value, at)
  return names.length > 0 ? names : wrong(at, 'a list of keys')
}
const MAX_KEYS = 2000
/** Levels of validators within `all`. */
const MAX_LEVELS = 3

const VERSION = text(100, /^[0-9A-Za-z][0-9A-Za-z.+_-]*$/)
/** The service is a part of a group's name; `*` stands for all of them. */
const SERVICE = text(100, /^(?:\*|[a-zA-Z0-9._-]+)$/)

/** A pattern that takes linear time, whoever wrote it. */
const regex: Shape<string> = (value, at) => {
  const source = WORDS(value, at)
  try {
    compilePattern(source)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    wrong(at, 'a regular expression that can be matched in linear time')
  }
  return source
}

type Kinds<T> = ReadonlyMap<string, Shape<T>>

/** Drops what has a kind that this version does not know. */
function known<T>(kinds: Kinds<T>, tag: string): Shape<T | null> {
  return (value, at) => {
    const kind = (value as Record<string, unknown> | null)?.[tag]
    const check = typeof kind === 'string' ? kinds.get(kind) : wrong(`${at}.${tag}`, 'text')
    return check?.(value, at) ?? null
  }
}

const none = {}
const validatorKinds = (levels: number): Kinds<Validator> => {
  const of = <K extends Validator['kind']>(kind: K) => ({ kind: oneOf<K>([kind]) })
  const all: [Validator['kind'], Shape<Validator>][] = [
    ['nonEmpty', shape(of('nonEmpty'), { message: WORDS, rejectNull: flag })],
    ['nonNull', shape(of('nonNull'), none)],
    ['nameText', shape(of('nameText'), none)],
    ['range', shape(of('range'), { min: number, max: number, message: WORDS, rejectNull: flag })],
    ['oneOf', shape({ ...of('oneOf'), values: NAMES }, { ignoreCase: flag, rejectNull: flag })],
    ['pattern', shape({ ...of('pattern'), regex, message: WORDS }, { accepts: WORDS })],
    ['topicName', shape(of('topicName'), { orBlank: flag, deadLetters: flag })],
    ['json', shape(of('json'), { shape: oneOf(['object']) })],
    ['url', shape({ ...of('url'), schemes: NAMES }, { userInfo: WORDS, label: WORDS, rejectNull: flag })],
    ['knownClass', shape({ ...of('knownClass'), names: NAMES }, none)],
    ['keyValueList', shape(of('keyValueList'), none)],
    ['regex', shape(of('regex'), { rejectNull: flag })],
    ['castSpec', shape(of('castSpec'), none)],
    ['renames', shape(of('renames'), none)],
  ]
  if (levels > 0) {
    const parts = list(known(validatorKinds(levels - 1), 'kind'), 20)
    all.push(['all', (value, at) => ({ kind: 'all', of: given(shape({ of: parts }, none)(value, at).of) })])
  }
  return new Map(all)
}
const validator = known(validatorKinds(MAX_LEVELS), 'kind')

const ruleKinds: Kinds<Rule> = new Map<string, Shape<Rule>>([
  ['requires', shape({ rule: oneOf(['requires']), key: KEY, needs: KEYS }, { on: KEY, message: WORDS })],
  ...(['atLeastOneOf', 'exactlyOneOf', 'atMostOneOf'] as const).map((rule): [string, Shape<Rule>] => [
    rule,
    shape({ rule: oneOf([rule]), keys: KEYS }, { message: WORDS }),
  ]),
  ['visibleWhen', shape({ rule: oneOf(['visibleWhen']), key: KEY, when: KEY, equals: NAMES }, none)],
  ['requiredWhen', shape({ rule: oneOf(['requiredWhen']), key: KEY, when: KEY, equals: NAMES }, { message: WORDS })],
])

const IMPORTANCE = oneOf(['high', 'medium', 'low'])
const defaultValue: Shape<NonNullable<KeySpec['default']> | null> = (value, at) => {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (typeof value === 'number') return number(value, at)
  return Array.isArray(value) ? NAMES(value, at) : text(MAX_DEFAULT_CHARS)(value, at)
}
const MAX_DEFAULT_CHARS = 10_000

const keyShape = shape(
  {
    type: oneOf(['string', 'int', 'long', 'double', 'boolean', 'list', 'class', 'password']),
    importance: IMPORTANCE,
    doc: WORDS,
  },
  {
    default: defaultValue,
    validator,
    group: WORDS,
    order: number,
    displayName: WORDS,
    width: oneOf(['none', 'short', 'medium', 'long']),
    dependents: NAMES,
    recommended: NAMES,
    example: WORDS,
    deprecated: WORDS,
    sensitive: flag,
    stripComment: flag,
    untrimmed: flag,
    env: WORDS,
  },
)
const key: Shape<KeySpec> = (value, at) => {
  const spec = withoutNull(keyShape(value, at))
  mustFit(spec, at)
  return spec
}

/** A default is parsed for each answer that describes the key. */
function mustFit(spec: KeySpec, at: string): void {
  try {
    describeConfig({ keys: { key: spec } })
  } catch {
    wrong(`${at}.default`, `a ${spec.type}`)
  }
}

function withoutNull<T extends { readonly validator?: Validator | null }>(
  read: T,
): Omit<T, 'validator'> & { readonly validator?: Validator } {
  const { validator: found, ...rest } = read
  return found === null || found === undefined ? rest : { ...read, validator: found }
}

function given<T>(items: readonly (T | null)[]): T[] {
  return items.filter((item) => item !== null)
}

const prefixShape = shape(
  { importance: IMPORTANCE, doc: WORDS },
  {
    group: WORDS,
    type: oneOf(['string', 'password']),
    suffix: regex,
    validator,
    sensitive: flag,
    untrimmed: flag,
  },
)
const prefix: Shape<PrefixSpec> = (value, at) => withoutNull(prefixShape(value, at))

const specShape = shape(
  { keys: record(KEY, key, MAX_KEYS) },
  { prefixes: record(KEY, prefix, MAX_KEYS), rules: list(known(ruleKinds, 'rule'), MAX_KEYS) },
)
const spec: Shape<ConfigSpecData> = (value, at) => {
  const read = specShape(value, at)
  return 'rules' in read ? { ...read, rules: given(read.rules) } : (read as ConfigSpecData)
}

const entry = shape(
  {
    class: NAME,
    type: oneOf(['source', 'sink', 'converter', 'header_converter', 'transformation', 'predicate']),
    version: VERSION,
    spec,
    service: SERVICE,
  },
  { aliases: list(NAME, 100) },
)

/**
 * Reads an entry; null: it was removed. Throws an Error that says why the record cannot be read, without anything of the
 * value.
 */
export function readPluginRecord(key: string, bytes: Uint8Array | null): PluginEntry | null {
  if (bytes === null) return null
  const read = entry(boundedJson(bytes), 'the plugin')
  if (key !== pluginKey(read)) throw new Error('the key is not that of the plugin in the value')
  return 'aliases' in read ? (read as PluginEntry) : { ...read, aliases: [] }
}

/** `<class>@<version>` for a connector, `<type>:<class>@<version>` for any other plugin: one class may be several. */
export function pluginKey(plugin: Pick<PluginEntry, 'class' | 'type' | 'version'>): string {
  return `${kindOf(plugin)}${plugin.class}@${plugin.version}`
}

/** '' for a connector, `<type>:` for any other plugin. */
export function kindOf({ type }: Pick<PluginEntry, 'type'>): string {
  return type === 'source' || type === 'sink' ? '' : `${type}:`
}
