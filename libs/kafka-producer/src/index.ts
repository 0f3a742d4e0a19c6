export * from './types.ts'
export * from './partitioner.ts'
export { createProducer, type CreateProducerOptions, type ProducerDriver } from './create-producer.ts'
export { ProducerError, ProducerFencedError, RecordRefusedError, type ProducerErrorKind } from './errors.ts'
