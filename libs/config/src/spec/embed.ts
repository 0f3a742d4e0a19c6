import type { ConfigSpecData, KeySpec, Rule } from './spec.ts'

export interface Embedding {
  /** `transforms.route.` */
  readonly prefix: string
  /** The group of the keys; a group of a key's own follows behind a colon. */
  readonly group: string
  /** The order of the first key. */
  readonly firstOrder: number
}

/**
 * A spec behind a prefix, as Kafka's ConfigDef.embed makes it: the keys are sorted by group, order, without a default first,
 * importance and name. Their checks know them without the prefix.
 */
export function embedSpec(spec: ConfigSpecData, { prefix, group, firstOrder }: Embedding): ConfigSpecData {
  const keys = sortedKeys(spec.keys).map(([name, key], index): [string, KeySpec] => [
    prefix + name,
    {
      ...key,
      group: key.group === undefined ? group : `${group}: ${key.group}`,
      order: firstOrder + index,
      displayName: key.displayName ?? name,
      checkedAs: name,
      ...(key.dependents && { dependents: key.dependents.map((dependent) => prefix + dependent) }),
    },
  ])
  const families = Object.entries(spec.prefixes ?? {}).map(([name, family]) => [prefix + name, family] as const)
  return {
    keys: Object.fromEntries(keys),
    prefixes: Object.fromEntries(families),
    rules: (spec.rules ?? []).map((rule) => behind(prefix, rule)),
  }
}

/** ConfigDef.sortedConfigs. */
function sortedKeys(keys: ConfigSpecData['keys']): [string, KeySpec][] {
  const groups = [...new Set(Object.values(keys).map((key) => key.group))]
  const place = ({ group }: KeySpec): number => (group === undefined ? -1 : groups.indexOf(group))
  return Object.entries(keys).toSorted(
    ([nameA, a], [nameB, b]) =>
      place(a) - place(b) ||
      (a.order ?? -1) - (b.order ?? -1) ||
      Number(a.default !== undefined) - Number(b.default !== undefined) ||
      IMPORTANCES.indexOf(a.importance) - IMPORTANCES.indexOf(b.importance) ||
      (nameA < nameB ? -1 : 1),
  )
}

const IMPORTANCES: readonly KeySpec['importance'][] = ['high', 'medium', 'low']

function behind(prefix: string, rule: Rule): Rule {
  const all = (names: readonly string[]): string[] => names.map((name) => prefix + name)
  switch (rule.rule) {
    case 'requires':
      return {
        ...rule,
        key: prefix + rule.key,
        needs: all(rule.needs),
        ...(rule.on !== undefined && { on: prefix + rule.on }),
      }
    case 'visibleWhen':
    case 'requiredWhen':
      return { ...rule, key: prefix + rule.key, when: prefix + rule.when }
    default:
      return { ...rule, keys: all(rule.keys) }
  }
}
