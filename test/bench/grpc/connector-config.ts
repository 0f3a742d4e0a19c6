import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PROTO = readFileSync(join(import.meta.dirname, 'feed.proto'), 'utf8')

/** A connector's configuration for the benchmarks' gRPC source; `request` is a `bench.Request`. */
export function connectorConfig(port: string, topic: string, request: object, extra: Record<string, string> = {}) {
  return {
    name: 'bench',
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    'tasks.max': '1',
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': port,
    'grpc.service.name': 'bench.Feed',
    'grpc.method.name': 'Stream',
    'grpc.proto.descriptor': PROTO,
    'grpc.request.message': JSON.stringify(request),
    'kafka.topic': topic,
    ...extra,
  }
}
