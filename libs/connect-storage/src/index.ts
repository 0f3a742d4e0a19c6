export * from './types.ts'
export { createStores, type StoreName, type Stores, type StoresOptions } from './stores.ts'
export { storageKeys, storesOptions } from './settings.ts'
export { followLogLevels } from './follow-log-levels.ts'
