export { grpcSource } from './plugin.ts'
export { grpcSpec } from './spec.ts'
