export { runService } from './run-service.ts'
export type { Service, ServiceHost, ServiceOptions } from './run-service.ts'
export { serviceSettings } from './settings.ts'
export {
  answerErrors,
  isSigned,
  readersOf,
  refuseOtherSites,
  startAdminServer,
  withoutCompilers,
} from './admin-server.ts'
export type { AdminOptions, AdminServer } from './admin-server.ts'
export { advertisedHost, assertBind, hostPort, isLoopback } from './bind.ts'
export { Tls, type TlsValues } from './tls.ts'
export { callerOfAddress, RateLimit } from './http/rate-limit.ts'
export { RequestSource, type RequestSourceOptions } from './http/request-source.ts'
export {
  limitConnections,
  limitServer,
  receiveLimits,
  type ReceiveTimeouts,
  RECEIVE_TIMEOUTS,
} from './http/server-limits.ts'
export { helpText } from './help.ts'
export { INTERNAL_TOKEN, InternalTokens, type TokenClaims, type VerifiedRequest } from './internal-token.ts'
export { type InternalAnswer, InternalClient, type InternalRequest, type Peer, readAll } from './internal-client.ts'
