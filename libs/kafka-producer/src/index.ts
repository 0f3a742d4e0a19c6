export * from './api/types.ts'
export * from './api/partitioner.ts'
export { createProducer, type CreateProducerOptions, type ProducerDriver } from './create-producer.ts'
export { producerErrors } from './errors.ts'
