export * from './api/types.ts'
export type { ProducerSecurity } from './api/security.ts'
export * from './api/record.ts'
export { PackedProducerRecords, type PackedProducerRecordsParts } from './api/packed.ts'
export * from './api/partitioner.ts'
export {
  createProducer,
  type CreateProducerOptions,
  createProducerPool,
  type ProducerDriver,
} from './create-producer.ts'
export type { PooledProducerOptions, ProducerPool } from './producer/producer-pool.ts'
export { producerErrors } from './errors.ts'
