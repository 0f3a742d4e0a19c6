import { valueText } from '../values/parse-value.ts'
import type { ConfigSpecData, KeySpec } from './spec.ts'
import { defaultValue } from './validate.ts'

/** The definition of a key in the REST API, with its members in Connect's order. */
export interface ConfigDefinition {
  readonly name: string
  /** STRING, INT, LONG, DOUBLE, BOOLEAN, LIST, CLASS or PASSWORD. */
  readonly type: string
  readonly required: boolean
  /** The default as text; null when there is none. */
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

/** The definitions of all keys, in the order of declaration. As in Connect, prefixed families have none. */
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

/** The default of a key as text; `[hidden]` for a password, null when there is none. */
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
