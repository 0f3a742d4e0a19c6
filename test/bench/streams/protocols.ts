import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectorConfig } from '../support/rig.ts'
import type { Feed, Ports } from './source.ts'

const PROTO = readFileSync(join(import.meta.dirname, '../grpc/feed.proto'), 'utf8')

/** A kind of stream, and the service that reads it. */
export interface Protocol {
  readonly name: 'grpc' | 'ws' | 'sse'
  /** A folder in apps/. */
  readonly app: string
  /** The port or the URL at which a feed is read. */
  address(source: Ports, feed: Feed): string
  connector(source: Ports, topic: string, feed: Feed, extra?: Readonly<Record<string, string>>): ConnectorConfig
}

const query = (feed: Feed): string =>
  Object.entries(feed)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

const connector = (topic: string, className: string, own: object, extra: object = {}): ConnectorConfig => ({
  name: 'bench',
  'connector.class': `io.tributary.connect.${className}`,
  'tasks.max': '1',
  'kafka.topic': topic,
  ...own,
  ...extra,
})

export const grpc: Protocol = {
  name: 'grpc',
  app: 'grpc-ingest',
  address: ({ grpc: port }) => port,
  connector: ({ grpc: port }, topic, feed, extra) => {
    const own = {
      'grpc.server.host': '127.0.0.1',
      'grpc.server.port': port,
      'grpc.service.name': 'bench.Feed',
      'grpc.method.name': 'Stream',
      'grpc.proto.descriptor': PROTO,
      'grpc.request.message': JSON.stringify(feed),
    }
    return connector(topic, 'grpc.GrpcSourceConnector', own, extra)
  },
}

export const ws: Protocol = {
  name: 'ws',
  app: 'ws-ingest',
  address: ({ http }, feed) => `ws://127.0.0.1:${http}/feed?${query(feed)}`,
  connector: (source, topic, feed, extra) => {
    return connector(topic, 'websocket.WebSocketSourceConnector', { 'websocket.url': ws.address(source, feed) }, extra)
  },
}

export const sse: Protocol = {
  name: 'sse',
  app: 'sse-ingest',
  address: ({ http }, feed) => `http://127.0.0.1:${http}/events?${query(feed)}`,
  connector: (source, topic, feed, extra) => {
    return connector(topic, 'sse.SseSourceConnector', { 'sse.url': sse.address(source, feed) }, extra)
  },
}

export const protocols = { grpc, ws, sse } as const
