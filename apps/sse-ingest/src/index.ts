export { sseSource } from './plugin.ts'
