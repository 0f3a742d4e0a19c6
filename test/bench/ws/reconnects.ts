import { type Child, start } from '../child.ts'
import type { ConnectorConfig, Rig } from '../rig.ts'
import { quantile } from '../table.ts'

/**
 * What a server does with TCP after its close frame: it ends TCP when the client has answered, or leaves that to the
 * client.
 */
const AFTERWARDS = { end: 'ends TCP', leave: 'leaves TCP open' } as const
const CLOSES = 20

export interface Reconnects {
  readonly then: string
  readonly count: number
  /** Number of closes that the client answered with a close frame. */
  readonly answered: number
  /** Time from the server's close frame to the client's next TCP connection. */
  readonly medianMs: number
  readonly maxMs: number
}

/** A feed that closes its connections, as exchanges do once a day. */
export async function measureReconnects(
  rig: Rig,
  app: string,
  configOf: (port: string, topic: string) => ConnectorConfig,
): Promise<Reconnects[]> {
  const results: Reconnects[] = []
  for (const [afterwards, then] of Object.entries(AFTERWARDS)) {
    const source = start('test/bench/ws/closing-source.ts', [String(CLOSES), afterwards])
    const topic = await rig.topic()
    const cluster = `${rig.run}-${topic}`
    const child = rig.startIngest(app, cluster)
    await child.value('address')
    await rig.configure(cluster, configOf(await source.value('port'), topic))
    results.push({ then, ...(await report(source)) })
    await child.stop()
    await source.stop()
  }
  return results
}

async function report(source: Child): Promise<Omit<Reconnects, 'then'>> {
  const answered = Number(await source.value('answered'))
  const times = (await source.value('reconnect_ms')).split(',').map(Number)
  times.sort((a, b) => a - b)
  return { count: times.length, answered, medianMs: quantile(times, 0.5), maxMs: times.at(-1) ?? NaN }
}
