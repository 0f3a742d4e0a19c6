export { grpcSource } from './plugin.ts'
export { grpcSpec } from './config/spec.ts'
