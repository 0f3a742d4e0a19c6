export { websocketSource } from './plugin.ts'
export { websocketSpec } from './spec.ts'
