export { ServerStreamCall, type CallListener, type CallRequest } from './call.ts'
export { CallError, firstMessage } from './first-message.ts'
export { GrpcSession, openSession, type SessionOptions, WINDOW_BYTES, windowBytesFor } from './session.ts'
export { localStatus, STATUS_NAMES, type GrpcStatus, type StatusName } from './status.ts'
