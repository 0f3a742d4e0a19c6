import { abortable } from '@tributary/async'
import type { PreviewPolicy, Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { pluginOf } from '../assignment/units.ts'
import { handOverPolicyOf } from '../model/hand-over-policy.ts'
import { type PropsEnvironment, resolveProps } from '../model/props.ts'

const SECOND_CONNECTION = 'the source may allow one connection only, and end the other one'

interface Policy {
  /** null: any two configurations of the plugin may share a source. */
  readonly sources: readonly string[] | null
  readonly disturbs: string | null
  readonly leaves: string | null
}

export function previewPolicy(plugin: SourcePlugin, props: Props): Policy {
  const given: PreviewPolicy | undefined = plugin.preview?.(props)
  const known = { sources: given?.sources ?? null, leaves: given?.leaves ?? null }
  if (given?.disturbs !== undefined) return { ...known, disturbs: given.disturbs }
  return { ...known, disturbs: handOverPolicyOf(plugin, props) === null ? SECOND_CONNECTION : null }
}

interface DisturbanceOptions {
  readonly plugin: SourcePlugin
  readonly plugins: readonly SourcePlugin[]
  readonly snapshot: ConfigSnapshot
  readonly environment: PropsEnvironment
  /** Of the preview. */
  readonly policy: Policy
}

/**
 * The connectors that run or pause, read what the preview would read, and could be disturbed by it; null: none. A connector is asked
 * too, as it may allow no second connection (`task.handover.overlap`) where the preview's configuration says nothing of it. Rejects
 * with the reason of the signal: providers may take long for the references of many connectors.
 */
export async function disturbed(
  options: DisturbanceOptions,
  signal: AbortSignal,
): Promise<{ readonly connectors: readonly string[]; readonly why: string } | null> {
  const { plugin, plugins, snapshot, environment, policy } = options
  const connectors: string[] = []
  let why = policy.disturbs
  for (const connector of [...snapshot.connectors()].sort()) {
    if (snapshot.targetState(connector) === 'STOPPED') continue
    if (pluginOf(snapshot, plugins, connector)?.class !== plugin.class) continue
    const other = await abortable(policyOfStored(plugin, environment, snapshot.config(connector)!), signal)
    if (other === null || !shares(policy.sources, other.sources)) continue
    const reason = policy.disturbs ?? other.disturbs
    if (reason === null) continue
    connectors.push(connector)
    why ??= reason
  }
  return why === null || connectors.length === 0 ? null : { connectors, why }
}

/** null: the connector cannot run with its configuration either. */
async function policyOfStored(
  plugin: SourcePlugin,
  environment: PropsEnvironment,
  stored: Props,
): Promise<Policy | null> {
  try {
    return previewPolicy(plugin, (await resolveProps(environment, plugin, stored)).props)
  } catch {
    return null
  }
}

function shares(a: Policy['sources'], b: Policy['sources']): boolean {
  return a === null || b === null || a.some((source) => b.includes(source))
}
