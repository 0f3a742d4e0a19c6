import type { ConnectorHealth } from './control-plane-client.ts'
import { lastPort, type Places } from './places.ts'
import type { SqsAddress } from './sqs.ts'

/** Where the demo's records come from. */
export interface DemoAddresses {
  /** The ports of demo-feed's servers. */
  readonly grpc: number
  readonly ws: number
  /** Null: the demo leaves SQS out. */
  readonly sqs: SqsAddress | null
}

export interface DemoConnector {
  readonly name: string
  readonly topic: string
  /** Where the records come from, in words for the user. */
  readonly source: string
  /** The name of the service that runs the connector. */
  readonly service: string
  /** Null when there is nothing to read. */
  readonly config: (addresses: DemoAddresses) => Record<string, string> | null
}

/** demo-feed's quotes by gRPC. The server describes them by reflection, and the connector resumes after a restart. */
const quotes: DemoConnector = {
  name: 'demo-quotes',
  topic: 'demo.quotes',
  source: 'quotes of demo-feed by gRPC',
  service: 'grpc-ingest',
  config: ({ grpc }) => ({
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    'tasks.max': '1',
    'kafka.topic': quotes.topic,
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': String(grpc),
    'grpc.service.name': 'tributary.demo.v1.MarketData',
    'grpc.method.name': 'StreamQuotes',
    'grpc.request.message': '{"symbols":["BTC-USD","ETH-USD"],"rate_per_second":200}',
    // `from_sequence` is the first quote that the server sends: the one after the last that Kafka has.
    'grpc.resume.field': 'sequence',
    'grpc.resume.request.field': 'from_sequence',
    'grpc.resume.request.next': 'true',
    'key.field': 'symbol',
  }),
}

/** demo-feed's live quotes by WebSocket. Quotes sent while no connection is open are lost; the topic `demo.gaps` counts them. */
const live: DemoConnector = {
  name: 'demo-live',
  topic: 'demo.live',
  source: 'live quotes of demo-feed by WebSocket',
  service: 'ws-ingest',
  config: ({ ws }) => ({
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    'tasks.max': '1',
    'kafka.topic': live.topic,
    'websocket.url': `ws://127.0.0.1:${ws}/live?symbols=BTC-USD,ETH-USD&rate=100`,
    'websocket.subscription.1.message': '{"op":"subscribe","channel":"quotes"}',
    'websocket.subscription.1.ack.match': 'op == subscribed',
    'websocket.subscription.1.refuse.match': 'op == error',
    'sequence.field': 'sequence',
    'gap.topic': 'demo.gaps',
    'key.field': 'symbol',
  }),
}

/** demo-feed's quotes from a queue of SQS, which are deleted there when Kafka has them. */
const queue: DemoConnector = {
  name: 'demo-sqs',
  topic: 'demo.sqs',
  source: 'quotes of demo-feed from SQS',
  service: 'sqs-ingest',
  config: ({ sqs }) =>
    sqs === null
      ? null
      : {
          'connector.class': 'io.tributary.connect.sqs.SqsSourceConnector',
          'tasks.max': '1',
          'kafka.topic': queue.topic,
          'sqs.queue.url': sqs.queue,
          'aws.endpoint.override': sqs.endpoint,
          'aws.region': sqs.region,
          ...(sqs.keys === null ? {} : { 'aws.access.key.id': sqs.keys.id, 'aws.secret.access.key': sqs.keys.secret }),
        },
}

/** The demo's connectors. The launcher creates those whose services run. */
export const demoConnectors: readonly DemoConnector[] = [quotes, live, queue]

/** @returns the ports of the last run where they are free, so that the connectors created then still fit; else free ports. */
export async function feedPorts(places: Places): Promise<Omit<DemoAddresses, 'sqs'>> {
  return { grpc: await lastPort(places, 'demo-feed'), ws: await lastPort(places, 'demo-feed-ws') }
}

/** `demo-quotes  RUNNING  12,345 records  400/s  1.2 ms  lag 0`, and the reason if records do not flow. */
export function liveLine(name: string, health: ConnectorHealth | string): string {
  if (typeof health === 'string') return `${name}  ${health}`
  const latencyMs = Math.max(0, ...health.tasks.map((task) => task.latency_ms))
  const parts = [
    name,
    health.state,
    `${health.records_total.toLocaleString('en-US')} records`,
    `${Math.round(health.rate).toLocaleString('en-US')}/s`,
    `${latencyMs.toFixed(1)} ms`,
    `lag ${health.lag.toLocaleString('en-US')}`,
  ]
  if (health.stalled || !health.connected) parts.push(health.reason)
  return parts.join('  ')
}
