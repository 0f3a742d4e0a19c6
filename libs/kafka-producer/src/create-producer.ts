import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { secured } from './api/security.ts'
import type { KafkaProducer, ProducerOptions } from './api/types.ts'
import { producerErrors } from './errors.ts'
import { alone, ProducerPool } from './producer/producer-pool.ts'
import { TributaryWire } from './wire/tributary/wire.ts'
import type { CreateWire, Wire } from './wire/wire.ts'

export type ProducerDriver = 'tributary' | 'kafkajs'

export interface CreateProducerOptions extends ProducerOptions {
  readonly driver: ProducerDriver
  /** Gets the event `producer_state_lost` only. Outages go to `onOutage`. */
  readonly log?: Logger
}

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000

/** Creates a producer that is not connected yet; `start` connects it. Throws `UNSUPPORTED_COMPRESSION` for an unknown codec. */
export function createProducer(connection: KafkaConnection, options: CreateProducerOptions): KafkaProducer {
  return alone(() => createWire(connection, options.driver, options.requestTimeoutMs), options)
}

/** The pool of a process: its producers share what ProducerPool says. Create the pool outside of the code of any task. */
export function createProducerPool(connection: KafkaConnection, driver: ProducerDriver): ProducerPool {
  return new ProducerPool(({ clientId = connection.clientId, requestTimeoutMs, security }) => {
    const own = security === undefined ? connection : secured(connection, security)
    if (own !== null) return createWire({ ...own, clientId }, driver, requestTimeoutMs)
    const message = `security.protocol=${security?.protocol} of the producer needs sasl.jaas.config and sasl.mechanism too: the worker has no login to Kafka`
    throw producerErrors.SASL_LOGIN_MISSING(message)
  })
}

function createWire(
  connection: KafkaConnection,
  driver: ProducerDriver,
  requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS,
): Wire {
  switch (driver) {
    case 'tributary':
      return new TributaryWire(connection, requestTimeoutMs)
    case 'kafkajs':
      return loadKafkajs().createWire(connection, requestTimeoutMs)
    default:
      throw new TypeError(`no such driver: ${String(driver satisfies never)}`)
  }
}

const require = createRequire(import.meta.url)

/** Loaded when the driver is chosen and not before: kafkajs costs 14 MiB and 90 ms at the start of a process. */
function loadKafkajs(): { readonly createWire: CreateWire } {
  return require(`./wire/kafkajs/index${extname(import.meta.url)}`) as { readonly createWire: CreateWire }
}
