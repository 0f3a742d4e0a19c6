import { type Child, startScript } from '../support/child.ts'
import { ws } from '../streams/protocols.ts'
import type { Rig } from '../support/rig.ts'
import { quantile, round, table } from '../support/table.ts'
import type { Tree } from '../support/tree.ts'

/**
 * What a server does with TCP after its close frame: it ends TCP when the client has answered, or leaves that to the
 * client.
 */
const AFTERWARDS = { end: 'ends TCP', leave: 'leaves TCP open' } as const
const CLOSES = 10

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
export async function measureReconnects(rig: Rig, tree: Tree): Promise<Reconnects[]> {
  const results: Reconnects[] = []
  for (const [afterwards, then] of Object.entries(AFTERWARDS)) {
    const source = startScript('ws/closing-source.ts', [String(CLOSES), afterwards])
    const http = await source.value('port')
    const config = ws.connector({ grpc: '', http }, await rig.topic(), { count: 0 })
    const child = await rig.startService(tree, ws.app, await rig.cluster([config]))
    results.push({ then, ...(await report(source)) })
    await child.stop()
    await source.stop()
    await rig.clean()
  }
  return results
}

async function report(source: Child): Promise<Omit<Reconnects, 'then'>> {
  const answered = Number(await source.value('answered'))
  const times = (await source.value('reconnect_ms')).split(',').map(Number)
  times.sort((a, b) => a - b)
  return { count: times.length, answered, medianMs: quantile(times, 0.5), maxMs: times.at(-1) ?? NaN }
}

export function reconnectTable(reconnects: readonly Reconnects[]): string {
  return table(
    ['after its close frame the server', 'closes answered', 'median ms to the next connection', 'max ms'],
    reconnects.map((r) => [r.then, `${r.answered} of ${r.count}`, round(r.medianMs, 1), round(r.maxMs, 1)]),
  )
}
