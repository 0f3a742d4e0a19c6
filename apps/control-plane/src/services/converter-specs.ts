import { type ConfigSpecData, hasReferences } from '@tributary/config'
import type { PluginEntry } from '@tributary/connect-storage'
import type { SentConfig } from '../http/body.ts'

/** A converter that a configuration names: its class, its settings, and the error of a wrong name. */
export interface NamedConverter {
  /**
   * `key.converter`, `value.converter` or `header.converter`. The key is also the prefix of the converter's settings.
   */
  readonly key: string
  /** null when there is no such class. */
  readonly class: string | null
  readonly error: string | null
  /** The converter's settings, without the prefix. */
  readonly spec: ConfigSpecData
  readonly settings: SentConfig
}

interface Role {
  readonly key: string
  readonly type: 'converter' | 'header_converter'
  readonly interfaceName: string
  /** The value of `converter.type`. */
  readonly use: string
}

const ROLES: readonly Role[] = [
  { key: 'key.converter', type: 'converter', interfaceName: 'Converter', use: 'key' },
  { key: 'value.converter', type: 'converter', interfaceName: 'Converter', use: 'value' },
  { key: 'header.converter', type: 'header_converter', interfaceName: 'HeaderConverter', use: 'header' },
]

/**
 * The converters that a configuration names, checked against what workers have published; Connect, too, checks them
 * before it starts anything. References are left to the worker, and so is everything while no worker has published a
 * converter.
 */
export function namedConverters(sent: SentConfig, plugins: readonly PluginEntry[]): NamedConverter[] {
  return ROLES.flatMap((role): NamedConverter[] => {
    const value = sent[role.key]
    const known = plugins.filter(({ type }) => type === role.type)
    if (typeof value !== 'string' || hasReferences(value) || known.length === 0) return []
    const name = value.trim()
    const plugin = known.find((each) => namesOf(each).includes(name))
    if (plugin === undefined)
      return [{ key: role.key, spec: { keys: {} }, settings: {}, ...problem(role, name, plugins) }]
    const settings = { 'converter.type': role.use, ...behind(`${role.key}.`, sent) }
    return [{ key: role.key, class: plugin.class, error: null, spec: plugin.spec, settings }]
  })
}

function problem(
  { key, interfaceName }: Role,
  name: string,
  plugins: readonly PluginEntry[],
): { class: string | null; error: string } {
  return plugins.some((plugin) => plugin.class === name)
    ? { class: name, error: `Class class ${name} does not implement the ${interfaceName} interface` }
    : { class: null, error: `Invalid value ${name} for configuration ${key}: Class ${name} could not be found.` }
}

function behind(prefix: string, sent: SentConfig): SentConfig {
  const settings = Object.entries(sent).filter(([key]) => key.startsWith(prefix))
  return Object.fromEntries(settings.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** The class, its simple name, and that without the name of its kind: `Json`, `Simple`. */
function namesOf({ class: name, aliases, type }: PluginEntry): string[] {
  const kind = type === 'converter' ? 'Converter' : 'HeaderConverter'
  return [name, ...aliases].flatMap((each) => {
    const simple = each.slice(each.lastIndexOf('.') + 1)
    return [each, simple, ...(simple.endsWith(kind) && simple !== kind ? [simple.slice(0, -kind.length)] : [])]
  })
}
