import { kindOf } from './plugin-records.ts'
import type { PluginEntry } from '../types.ts'

export interface PluginCatalog {
  /** One version of each class, sorted by name. */
  readonly all: readonly PluginEntry[]
  readonly byName: ReadonlyMap<string, PluginEntry>
}

/**
 * Chooses a version of each class: the highest of those that a live worker has, else the highest. So an entry that
 * somebody else wrote, or that a rolled back release has left, does not stand for what runs.
 */
export function catalogOf(entries: Iterable<PluginEntry>, isLive: (plugin: PluginEntry) => boolean): PluginCatalog {
  const chosen = new Map<string, { readonly entry: PluginEntry; readonly live: boolean }>()
  for (const entry of entries) {
    const name = kindOf(entry) + entry.class
    const other = chosen.get(name)
    const live = isLive(entry)
    const better = !other || (live === other.live ? compareVersions(entry.version, other.entry.version) > 0 : live)
    if (better) chosen.set(name, { entry, live })
  }
  const all = Array.from(chosen.values(), ({ entry }) => entry).sort((a, b) => (a.class < b.class ? -1 : 1))
  const byName = new Map<string, PluginEntry>()
  const add = (name: string, plugin: PluginEntry): void => {
    if (!byName.has(name)) byName.set(name, plugin)
  }
  // Whatever a live worker has is found by all of its names before anything that nobody runs. Among these a full name finds its class
  // first, even if it is another class's alias or short name, and a connector is found before any other type of plugin.
  for (const live of [true, false]) {
    const plugins = all.filter((plugin) => isLive(plugin) === live)
    const ordered = [...plugins.filter(isConnector), ...plugins.filter((plugin) => !isConnector(plugin))]
    for (const plugin of ordered) add(plugin.class, plugin)
    for (const plugin of ordered) for (const name of plugin.aliases) add(name, plugin)
    for (const plugin of ordered) for (const name of shortNamesOf(plugin)) add(name, plugin)
  }
  return { all, byName }
}

/** Every name by which an entry may be found. */
export function namesOf(plugin: PluginEntry): readonly string[] {
  return [plugin.class, ...plugin.aliases, ...shortNamesOf(plugin)]
}

function isConnector(plugin: PluginEntry): boolean {
  return kindOf(plugin) === ''
}

function shortNamesOf({ class: name, aliases }: PluginEntry): string[] {
  return [name, ...aliases].flatMap(shortNames)
}

/** Connect's plugin aliases: the simple name, and the simple name without `Connector` (`FileStreamSource`). */
function shortNames(className: string): string[] {
  const simple = className.slice(className.lastIndexOf('.') + 1)
  return [simple, simple.replace(/Connector$/, '')]
}

/**
 * Compares dotted numbers by value: `1.10.0` is above `1.9.0`. A release is above its pre-release: `2.0.0` above
 * `2.0.0-rc1`.
 */
export function compareVersions(a: string, b: string): number {
  const parse = (version: string): [core: number[], pre: string] => {
    const [core = '', pre = ''] = version.split(/-(.*)/s)
    return [core.split('.').map(Number), pre]
  }
  const [coreA, preA] = parse(a)
  const [coreB, preB] = parse(b)
  for (let i = 0; i < Math.max(coreA.length, coreB.length); i++) {
    const difference = (coreA[i] ?? 0) - (coreB[i] ?? 0)
    if (difference) return difference
  }
  if (preA === preB) return 0
  if (preA === '' || preB === '') return preA === '' ? 1 : -1
  return preA < preB ? -1 : 1
}
