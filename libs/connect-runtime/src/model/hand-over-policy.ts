import type { HandOverPolicy, Props, SourcePlugin } from '@tributary/connect-api'

/** How runs of a task may overlap; null: not at all. */
export function handOverPolicyOf(plugin: SourcePlugin, props: Props): HandOverPolicy | null {
  if (props['task.handover.overlap']?.trim().toLowerCase() === 'never') return null
  return plugin.handOver?.(props) ?? null
}
