/**
 * Types of the parts of kafkajs 2.2.4 below its Producer, which its own typings leave out. The package is pinned and no
 * longer changes. Why its Producer is not used: docs/decisions/40-own-kafka-sender.md.
 */
declare module 'kafkajs/src/broker/index.js' {
  import type ConnectionPool from 'kafkajs/src/network/connectionPool.js'
  import type { Logger } from 'kafkajs/src/loggers/index.js'

  export default class Broker {
    constructor(options: {
      connectionPool: ConnectionPool
      logger: Logger
      allowAutoTopicCreation: boolean
      authenticationTimeout?: number
    })
    isConnected(): boolean
    connect(): Promise<void>
    disconnect(): Promise<void>
    metadata(topics: string[]): Promise<{
      brokers: { nodeId: number; host: string; port: number }[]
      topicMetadata: { topic: string; partitionMetadata: { partitionId: number; leader: number }[] }[]
    }>
    findGroupCoordinator(request: {
      groupId: string
      coordinatorType: number
    }): Promise<{ coordinator: { nodeId: number; host: string; port: number } }>
    initProducerId(request: {
      transactionalId: string | undefined
      transactionTimeout: number
    }): Promise<{ producerId: string; producerEpoch: number }>
    addPartitionsToTxn(request: {
      transactionalId: string
      producerId: string
      producerEpoch: number
      topics: { topic: string; partitions: number[] }[]
    }): Promise<unknown>
    endTxn(request: {
      transactionalId: string
      producerId: string
      producerEpoch: number
      transactionResult: boolean
    }): Promise<unknown>
  }
}

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { Logger } from 'kafkajs/src/loggers/index.js'
  import type { KafkaConfig } from 'kafkajs'

  export interface ProtocolRequest<T> {
    request: {
      apiKey: number
      apiVersion: number
      apiName: string
      /** The bytes after the request header. */
      encode(): Promise<{ buf: Buffer; buffer: Buffer }>
    }
    response: {
      decode(payload: Buffer): Promise<T>
      parse(decoded: T): Promise<T>
    }
  }
  export interface RequestQueue {
    readonly pending: readonly unknown[]
    scheduleCheckPendingRequests(): void
  }

  export default class ConnectionPool {
    readonly pool: readonly { readonly requestQueue: RequestQueue }[]
    constructor(options: {
      host: string
      port: number
      clientId: string
      ssl: KafkaConfig['ssl'] | null
      sasl: KafkaConfig['sasl'] | null
      socketFactory: KafkaConfig['socketFactory']
      connectionTimeout: number
      requestTimeout: number
      enforceRequestTimeout: boolean
      logger: Logger
    })
    send<T>(request: ProtocolRequest<T>): Promise<T>
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  import type { KafkaConfig } from 'kafkajs'
  export default function createSocketFactory(): NonNullable<KafkaConfig['socketFactory']>
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { logCreator } from 'kafkajs'
  export interface Logger {
    namespace(name: string): Logger
  }
  const loggers: { createLogger(options: { level: number; logCreator: logCreator }): Logger }
  export default loggers
}
