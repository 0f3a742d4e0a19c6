export { createDeadLetterIndex, type DeadLetterIndexOptions } from './sqlite-index.ts'
export * from './types.ts'
