export { ServerStreamCall, type CallListener, type CallRequest } from './call.ts'
export { CallError, firstMessage } from './first-message.ts'
export { type CallOptions, GrpcSession, openSession, type SessionOptions } from './session.ts'
export { localStatus, STATUS_NAMES, type GrpcStatus, type StatusName } from './status.ts'
