import type { CreateWire } from '../wire.ts'
import { KafkajsWire } from './wire.ts'

/** The one entry of this folder. `create-producer.ts` loads it when a producer with the driver `kafkajs` is created. */
export const createWire: CreateWire = (connection, requestTimeoutMs) => new KafkajsWire(connection, requestTimeoutMs)
