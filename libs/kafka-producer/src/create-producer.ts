import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import type * as Kafkajs from './wire/kafkajs/wire.ts'
import { PlatformaticWire } from './wire/platformatic/wire.ts'
import { IdempotentProducer } from './producer/producer.ts'
import type { KafkaProducer, ProducerOptions } from './api/types.ts'
import type { Wire } from './wire/wire.ts'

export type ProducerDriver = 'platformatic' | 'kafkajs'

export interface CreateProducerOptions extends ProducerOptions {
  readonly driver: ProducerDriver
  /** Gets `producer_state_lost` only; outages go to `onOutage`. */
  readonly log?: Logger
}

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000

/** A producer that is not connected yet: `start` it. Throws ProducerError of kind config for a codec that there is not. */
export function createProducer(connection: KafkaConnection, options: CreateProducerOptions): KafkaProducer {
  return new IdempotentProducer(createWire(connection, options), options)
}

function createWire(connection: KafkaConnection, options: CreateProducerOptions): Wire {
  const requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS
  switch (options.driver) {
    case 'platformatic':
      return new PlatformaticWire(connection, requestTimeoutMs)
    case 'kafkajs':
      return new (loadKafkajs().KafkajsWire)(connection, requestTimeoutMs)
    default:
      throw new TypeError(`no such driver: ${String(options.driver satisfies never)}`)
  }
}

const require = createRequire(import.meta.url)

/** Only when it is chosen: kafkajs takes 14 MiB and 90 ms at the start, which who uses the other driver need not pay. */
function loadKafkajs(): typeof Kafkajs {
  return require(`./kafkajs/wire${extname(import.meta.url)}`) as typeof Kafkajs
}
