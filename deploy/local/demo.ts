import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, isFree } from '@tributary/harness'
import type { ConnectorHealth } from './control-plane-client.ts'
import type { Places } from './places.ts'

export const connector = 'demo-quotes'
export const topic = 'demo.quotes'

/** The demo's connector: quotes of the feed, described by its reflection, going on where it stopped. */
export function connectorConfig(grpcPort: number): Record<string, string> {
  return {
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    'tasks.max': '1',
    'kafka.topic': topic,
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': String(grpcPort),
    'grpc.service.name': 'tributary.demo.v1.MarketData',
    'grpc.method.name': 'StreamQuotes',
    'grpc.request.message': '{"symbols":["BTC-USD","ETH-USD"],"rate_per_second":200}',
    // `from_sequence` is the first quote wanted, so the one after the last that we have.
    'grpc.resume.field': 'sequence',
    'grpc.resume.request.field': 'from_sequence',
    'grpc.resume.request.next': 'true',
    'key.field': 'symbol',
  }
}

/** The feed's port: that of the last run where it is free, so that the connector created then still fits. */
export async function feedPort(places: Places): Promise<number> {
  const file = join(places.data, 'demo-feed.port')
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (last > 0 && (await isFree(last))) return last
  const port = await freePort()
  writeFileSync(file, String(port))
  return port
}

/** `demo-quotes  RUNNING  12,345 records  400/s  1.2 ms  lag 0`, and what is wrong if something is. */
export function liveLine(health: ConnectorHealth | string): string {
  if (typeof health === 'string') return `${connector}  ${health}`
  const latencyMs = Math.max(0, ...health.tasks.map((task) => task.latency_ms))
  const parts = [
    connector,
    health.state,
    `${health.records_total.toLocaleString('en-US')} records`,
    `${Math.round(health.rate).toLocaleString('en-US')}/s`,
    `${latencyMs.toFixed(1)} ms`,
    `lag ${health.lag.toLocaleString('en-US')}`,
  ]
  if (health.stalled || !health.connected) parts.push(health.reason)
  return parts.join('  ')
}
