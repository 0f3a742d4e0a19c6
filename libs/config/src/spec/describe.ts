import { valueText } from '../values/parse-value.ts'
import type { ConfigSpecData, KeySpec } from './spec.ts'
import { defaultValue } from './validate.ts'

/** A key's definition as the REST API shows it, its members in Connect's order. */
export interface ConfigDefinition {
  readonly name: string
  /** STRING, INT, LONG, DOUBLE, BOOLEAN, LIST, CLASS or PASSWORD. */
  readonly type: string
  readonly required: boolean
  /** Text of the default; null where there is none. */
  readonly default_value: string | null
  readonly importance: string
  readonly documentation: string
  readonly group: string | null
  readonly width: string
  readonly display_name: string
  readonly dependents: readonly string[]
  /** Position within the group, from 1; -1 without a group. */
  readonly order: number
}

/** The definitions of all keys, in the order of declaration. Prefixed families have none, as in Connect. */
export function describeConfig(data: ConfigSpecData): ConfigDefinition[] {
  const positions = new Map<string, number>()
  return Object.entries(data.keys).map(([name, spec]) => ({
    name,
    type: spec.type.toUpperCase(),
    required: spec.default === undefined,
    default_value: defaultText(spec),
    importance: spec.importance.toUpperCase(),
    documentation: spec.doc,
    group: spec.group ?? null,
    width: (spec.width ?? 'none').toUpperCase(),
    display_name: spec.displayName ?? name,
    dependents: spec.dependents ?? [],
    order: spec.order ?? position(spec, positions),
  }))
}

/** A key's default as text, `[hidden]` for a password's; null where there is none. */
export function defaultText(spec: KeySpec): string | null {
  const value = defaultValue(spec)
  return value === null ? null : valueText(value, spec.type)
}

function position(spec: KeySpec, positions: Map<string, number>): number {
  if (spec.group === undefined) return -1
  const next = (positions.get(spec.group) ?? 0) + 1
  positions.set(spec.group, next)
  return next
}
