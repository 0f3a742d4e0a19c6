export * from './types.ts'
export {
  createStores,
  internalTopicCheck,
  type InternalTopicCheck,
  troubleOf,
  type Stores,
  type StoresOptions,
} from './stores.ts'
export { ACCESS_KEY_NAME } from './access-records.ts'
export { type AccessStoreOptions, KafkaAccessStore } from './access-store.ts'
export { type AuditLogOptions, KafkaAuditLog } from './audit/audit-log.ts'
export { auditKeys, storageKeys, storesOptions } from './settings.ts'
export { connectorStatusRecord, taskStatusRecord } from './status-records.ts'
export { followLogLevels, setLoggerLevel } from './logger-levels.ts'
export { taskTransactionalId } from './transactional-id.ts'
export { storageErrors } from './errors.ts'
export { isWorkerAddress } from './schema/worker-address.ts'
export { catalogOf } from './plugin-catalog.ts'
export { pluginKey } from './plugin-records.ts'
