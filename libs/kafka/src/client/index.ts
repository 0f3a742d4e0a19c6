/**
 * What Tributary needs of a Kafka client: connections and the requests on them. `@tributary/kafka` and
 * `@tributary/kafka-producer` share this entry, and nothing else imports it.
 */
export * from './apis/cluster.ts'
export * from './apis/fetch.ts'
export * from './apis/group.ts'
export * from './apis/producer.ts'
export { apiKeys, type Api } from './api.ts'
export { COMPRESSIONS, crc32c, wasmCodecs } from './codecs.ts'
export { Connection, type ConnectionOptions } from './connection.ts'
export { AuthenticationError, ConnectionError } from './errors.ts'
export { protocolErrorOf } from './protocol-errors.ts'
export { isDenied, missingRight, type Right } from './rights.ts'
export { Reader } from './reader.ts'
export { readRecordBatch, type RecordsBatch } from './records.ts'
export { Writer } from './writer.ts'
