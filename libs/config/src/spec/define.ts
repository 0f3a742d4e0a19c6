import { checkValue } from './check-value.ts'
import { ConfigException, connectFrame } from '../values/config-exception.ts'
import type { ConfigProblem } from '../values/config-exception.ts'
import { describeConfig } from './describe.ts'
import type { ConfigDefinition } from './describe.ts'
import { toMarkdown } from './markdown.ts'
import { prefixErrors, prefixedProps } from './prefixes.ts'
import { namesOf } from './rules.ts'
import type { ConfigSpecData, Keys, KeySpec, PrefixSpec, RawProps, Rule, ValuesOf } from './spec.ts'
import { checkAll, defaultValue, validateConfig } from './validate.ts'
import type { ConfigValue, ValidateOptions } from './validate.ts'

export interface DefineOptions {
  readonly prefixes?: Readonly<Record<string, PrefixSpec>>
  readonly rules?: readonly Rule[]
}

/** The declared settings of a component: the data, and functions bound to it. */
export interface ConfigSpec<K extends Keys> {
  readonly data: ConfigSpecData
  /** The declared keys with their literal types. Spread them into another `defineConfig`. */
  readonly keys: K
  /** Returns the typed values. Throws ConfigException with every error. */
  parse(props: RawProps): ValuesOf<K>
  /** The settings under `prefix`, by their names without the prefix. */
  prefixed(props: RawProps, prefix: string): Record<string, string>
  validate(props: RawProps, options?: ValidateOptions): { values: ConfigValue[]; errorCount: number }
  describe(): ConfigDefinition[]
  toMarkdown(title?: string): string
}

/** The typed values of a spec: `type GrpcConfig = ConfigOf<typeof grpcConfig>`. */
export type ConfigOf<S> = S extends ConfigSpec<infer K> ? ValuesOf<K> : never

/** Declares settings. Throws TypeError when the declaration contradicts itself, which is a mistake of its author. */
export function defineConfig<const K extends Keys>(keys: K, options: DefineOptions = {}): ConfigSpec<K> {
  const data: ConfigSpecData = {
    keys: Object.fromEntries(Object.entries(keys).map(([name, spec]) => [name, asData(spec)])),
    ...(options.prefixes && { prefixes: options.prefixes }),
    ...(options.rules && { rules: options.rules }),
  }
  assertConsistent(data)
  return {
    data,
    keys,
    parse: (props) => parseConfig(data, props) as ValuesOf<K>,
    prefixed: (props, prefix) => prefixedProps(data, props, prefix),
    validate: (props, validateOptions) => validateConfig(data, props, validateOptions),
    describe: () => describeConfig(data),
    toMarkdown: (title) => toMarkdown(data, title),
  }
}

/**
 * Parses with the data of a spec alone; see `ConfigSpec.parse`. `frame` makes the message of the exception from all
 * errors.
 */
export function parseConfig(
  data: ConfigSpecData,
  props: RawProps,
  frame: (errors: readonly ConfigProblem[]) => string = connectFrame,
): Record<string, unknown> {
  const keys = checkAll(data, props)
  const errors: ConfigProblem[] = []
  for (const key of keys.values()) for (const message of key.errors) errors.push({ name: key.name, message })
  for (const [name, messages] of prefixErrors(data, props)) {
    for (const message of messages) errors.push({ name, message })
  }
  if (errors.length > 0) throw new ConfigException(frame(errors), errors)
  return Object.fromEntries([...keys.values()].map((key) => [key.name, key.parsed]))
}

/** Joins several specs. Throws TypeError when two of them declare a key differently. */
export function mergeSpecs(...specs: readonly ConfigSpecData[]): ConfigSpecData {
  const keys: Record<string, KeySpec> = {}
  const prefixes: Record<string, PrefixSpec> = {}
  for (const spec of specs) {
    addAll(keys, spec.keys)
    addAll(prefixes, spec.prefixes ?? {})
  }
  return { keys, prefixes, rules: specs.flatMap((spec) => spec.rules ?? []) }
}

function addAll<T>(target: Record<string, T>, more: Readonly<Record<string, T>>): void {
  for (const [name, spec] of Object.entries(more)) {
    if (Object.hasOwn(target, name) && JSON.stringify(target[name]) !== JSON.stringify(spec)) {
      throw new TypeError(`Configuration ${name} is defined twice.`)
    }
    target[name] = spec
  }
}

/** A bigint has no JSON form; its text parses to the same default. */
function asData(spec: KeySpec): KeySpec {
  return typeof spec.default === 'bigint' ? { ...spec, default: String(spec.default) } : spec
}

function assertConsistent(data: ConfigSpecData): void {
  for (const [name, spec] of Object.entries(data.keys)) {
    const fail = (why: string): never => {
      throw new TypeError(`configuration ${name}: ${why}`)
    }
    if (spec.doc.trim() === '') fail('has no doc')
    if (spec.untrimmed && spec.type !== 'string') fail('only a string can be untrimmed')
    assertDefault(spec, fail)
    for (const dependent of spec.dependents ?? []) {
      if (!Object.hasOwn(data.keys, dependent)) fail(`dependent ${dependent} is not defined`)
    }
  }
  for (const rule of data.rules ?? []) {
    for (const name of namesOf(rule)) {
      if (!Object.hasOwn(data.keys, name)) throw new TypeError(`rule ${rule.rule} names ${name}, which is not defined`)
    }
  }
}

const DEFAULT_TYPES = {
  string: ['string'],
  class: ['string'],
  password: ['string'],
  boolean: ['boolean'],
  list: ['object'],
  int: ['number'],
  double: ['number'],
  long: ['number', 'bigint', 'string'],
} as const satisfies Record<KeySpec['type'], readonly string[]>

function assertDefault(spec: KeySpec, fail: (why: string) => never): void {
  if (spec.default === undefined || spec.default === null) return
  const types: readonly string[] = DEFAULT_TYPES[spec.type]
  if (!types.includes(typeof spec.default)) fail(`its default is no ${spec.type}`)
  const value = defaultValue(spec)
  const reason = spec.validator ? checkValue(spec.validator, value) : null
  if (reason !== null) fail(`its default does not pass its own check: ${reason}`)
}
