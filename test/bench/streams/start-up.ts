import type { Rig } from '../support/rig.ts'
import type { Tree } from '../support/tree.ts'
import type { Protocol } from './protocols.ts'
import type { Source } from './source.ts'

/** A feed that lasts longer than the measurement. */
const FEED = { count: 1_000_000, rate: 1000 }

/** Time from the start of a service's process to its first record, in ms, with a connector that exists. */
export async function startUp(
  rig: Rig,
  tree: Tree,
  protocol: Protocol,
  source: Source,
  extra: Readonly<Record<string, string>>,
): Promise<number> {
  const topic = await rig.topic()
  const cluster = await rig.cluster([protocol.connector(source, topic, FEED, extra)])
  // The first start also makes the task's configuration and the cluster's topics.
  const first = await rig.startService(tree, protocol.app, cluster)
  await rig.reached(topic, 100)
  await first.stop()
  const before = await rig.end(topic)
  const startedAt = performance.now()
  const child = await rig.startService(tree, protocol.app, cluster)
  const ms = (await rig.reached(topic, before + 1)) - startedAt
  await child.stop()
  return ms
}
