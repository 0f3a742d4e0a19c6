export * from './types.ts'
export { createStores, troubleOf, type Stores, type StoresOptions } from './stores.ts'
export { internalTopicCheck, type InternalTopicCheck } from './internal-topic-check.ts'
export { ACCESS_KEY_NAME } from './access/access-records.ts'
export { type AccessStoreOptions, KafkaAccessStore } from './access/access-store.ts'
export { type AuditLogOptions, KafkaAuditLog } from './audit/audit-log.ts'
export {
  type DeadLetterChanges,
  type DeadLetterSnapshot,
  type DeadLetterStore,
  type DeadLetterStoreOptions,
  KafkaDeadLetterStore,
  recordsOf,
} from './dead-letters/dead-letter-store.ts'
export { readDeadLetterRecord } from './dead-letters/dead-letter-records.ts'
export { DeadLetterState } from './dead-letters/dead-letter-state.ts'
export { isIn, letterSet, letterSets, lettersOf, type LetterPlace, sizeOf } from './dead-letters/letter-set.ts'
export * from './dead-letters/types.ts'
export { auditKeys, historyKeys, storageKeys, storesOptions } from './settings.ts'
export { connectorStatusRecord, taskStatusRecord } from './status/status-records.ts'
export { KafkaHistoryStore, type HistoryStoreOptions } from './history/history-store.ts'
export { versionRecord } from './history/history-records.ts'
export { HistoryState } from './history/history-state.ts'
export { followLogLevels, setLoggerLevel } from './configs/logger-levels.ts'
export { taskTransactionalId } from './log/transactional-id.ts'
export { storageErrors } from './errors.ts'
export { isWorkerAddress } from './schema/worker-address.ts'
export { catalogOf, namesOf } from './plugins/plugin-catalog.ts'
export { pluginKey } from './plugins/plugin-records.ts'
