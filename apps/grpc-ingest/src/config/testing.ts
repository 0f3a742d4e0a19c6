import { parseConfig, type Props } from '@tributary/connect-api'
import { type GrpcConfig, grpcSpec } from './spec.ts'

/** The required settings of a source that no test connects. */
export const BASE: Props = {
  'grpc.server.host': 'feed',
  'grpc.server.port': '9090',
  'grpc.service.name': 'f.Feed',
  'grpc.method.name': 'Watch',
  'kafka.topic': 't',
}

export function configWith(props: Props = {}): GrpcConfig {
  return parseConfig(grpcSpec, { ...BASE, ...props })
}
