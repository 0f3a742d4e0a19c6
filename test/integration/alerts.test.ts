import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { firing, parseScrape, type Scrape } from './alert-expression.ts'
import { startServices, type Services } from './grpc-services.ts'
import { tickerProps } from './grpc-task-rig.ts'
import { sendTicks, startTicker, type Ticker, type WatchCall } from './grpc-ticker.ts'
import { until } from './until.ts'

const run = randomUUID().slice(0, 8)

/** A server and the connector that reads it; `provoke` makes the alert's condition true. */
interface Case {
  readonly expression: string
  readonly config: Readonly<Record<string, string>>
  /** Ends its streams as soon as it is provoked; the others keep them. */
  readonly ends?: true
  provoke(server: Ticker, streams: readonly WatchCall[], services: Services, connector: string): Promise<void> | void
}

/** The documents' alert rules (group `grpc_connector`), by name, with their expressions as they stand there. */
const ALERTS: Readonly<Record<string, Case>> = {
  HighMessageDropRate: {
    expression: 'grpc_DropRate > 1',
    config: { 'overflow.policy': 'drop', 'grpc.message.queue.size': '10' },
    provoke: async (_server, [stream], services, connector) => {
      await pause(services, connector)
      await sendTicks(stream!, 2, 1000)
    },
  },
  HighProcessingLag: {
    expression: 'grpc_LagCount > 10000',
    config: { 'grpc.message.queue.size': '20000' },
    provoke: async (_server, [stream], services, connector) => {
      await pause(services, connector)
      await sendTicks(stream!, 2, 15_000)
    },
  },
  SequenceGapsDetected: {
    expression: 'rate(grpc_sequence_gaps[5m]) > 0',
    config: { 'grpc.resume.field': 'sequence' },
    provoke: (_server, [stream]) => sendTicks(stream!, 5, 5),
  },
  GrpcDisconnected: {
    expression: 'grpc_isConnected == 0',
    config: {},
    provoke: (server) => server.stop(),
  },
  FrequentReconnections: {
    expression: 'increase(grpc_TotalReconnects[5m]) > 10',
    config: { 'grpc.reconnect.interval.ms': '1', 'grpc.reconnect.backoff.max.ms': '1' },
    ends: true,
    provoke: (_server, [stream]) => void stream!.end(),
  },
}

/** Nothing is taken out of the queue any more. */
async function pause(services: Services, connector: string): Promise<void> {
  await services.rest('PUT', `/connectors/${connector}/pause`)
  await until('it is paused', async () => (await services.status(connector)).tasks[0]?.state === 'PAUSED')
}

const connectorOf = (alert: string): string => `${alert}-${run}`

describe("the documents' alert expressions on scrapes of the worker", () => {
  const servers = new Map<string, Ticker>()
  const streams = new Map<string, WatchCall[]>()
  let services: Services | undefined
  let first: Scrape
  let second: Scrape

  const scrape = async (): Promise<Scrape> => parseScrape(await services!.scrape())

  before(async () => {
    services = await startServices()
    for (const [alert, { config, ends }] of Object.entries(ALERTS)) {
      const calls: WatchCall[] = []
      streams.set(alert, calls)
      const watch = async (call: WatchCall): Promise<void> => {
        calls.push(call)
        await sendTicks(call, 1, 1)
        if (ends && calls.length > 1) call.end()
      }
      const server = await startTicker({ watch })
      servers.set(alert, server)
      const props = tickerProps(server.port, { ...config, 'kafka.topic': `alerts-${run}` })
      const connector = { 'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector', 'tasks.max': '1' }
      await services.create(connectorOf(alert), { ...connector, ...props })
    }
    await until('each has received its first message', async () => {
      first = await scrape()
      const received = first.get('grpc_MessagesReceived') ?? []
      return received.length === servers.size && received.every(({ value }) => value >= 1)
    })
    second = await scrape()
  })
  after(async () => {
    for (const server of servers.values()) server.stop()
    await services?.stop()
  })

  for (const [alert, { expression, provoke }] of Object.entries(ALERTS)) {
    test(`${alert} (${expression}) is silent while all is well, and fires for its connector alone`, async () => {
      assert.deepEqual(firing(expression, first, second), [])
      const connector = connectorOf(alert)
      const server = servers.get(alert)!
      const provoked = provoke(server, streams.get(alert)!, services!, connector)
      const found = await until('it fires', async () => {
        const series = firing(expression, first, await scrape())
        return series.length > 0 && series
      })
      await provoked
      assert.deepEqual(
        found.map(({ labels }) => labels),
        [{ connector_name: connector, server: `127.0.0.1:${server.port}` }],
      )
    })
  }
})
