export { websocketSource } from './plugin.ts'
export { websocketSpec } from './config/config.ts'
