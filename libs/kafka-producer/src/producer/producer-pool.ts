import { AsyncLocalStorage } from 'node:async_hooks'
import { type ProducerSecurity, securityKey } from '../api/security.ts'
import type { KafkaProducer } from '../api/types.ts'
import { Core } from './core.ts'
import { IdempotentProducer, type IdempotentProducerOptions } from './producer.ts'
import type { Wire } from '../wire/wire.ts'

/** Creates the wire of a producer with these settings, which is not connected yet. */
export type WireOf = (settings: {
  readonly clientId: string | undefined
  readonly requestTimeoutMs: number | undefined
  readonly security: ProducerSecurity | undefined
}) => Wire

export interface PooledProducerOptions extends Omit<IdempotentProducerOptions, 'onClosed'> {
  /** Default: the client id of the pool's connection. */
  readonly clientId?: string
  /** Default: that of the pool's connection. */
  readonly security?: ProducerSecurity
}

interface Shared {
  readonly core: Core
  users: number
}

/**
 * The producers of a process. Those without a transactional id and with equal settings share connections, producer id and
 * requests; each keeps its own lease, outage, sends and end.
 */
export class ProducerPool {
  readonly #wireOf: WireOf
  readonly #shared = new Map<string, Shared>()
  /** Cores are made in the code of the task that happens to be the first, and must not belong to it. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot()

  constructor(wireOf: WireOf) {
    this.#wireOf = wireOf
  }

  /** A producer that is not started yet. Throws `UNSUPPORTED_COMPRESSION` for an unknown codec, and `SASL_LOGIN_MISSING`. */
  create(options: PooledProducerOptions): KafkaProducer {
    const { clientId, requestTimeoutMs, security } = options
    const createWire = (): Wire => this.#wireOf({ clientId, requestTimeoutMs, security })
    if (options.transactionalId !== undefined) return alone(createWire, options)
    const key = shareKey(options)
    let shared = this.#shared.get(key)
    if (shared === undefined) {
      shared = { core: this.#inOwnContext(() => new Core(createWire, options)), users: 0 }
      this.#shared.set(key, shared)
    }
    const { core } = shared
    shared.users++
    return new IdempotentProducer(core, {
      ...options,
      onClosed: async () => {
        if (--shared.users > 0) return
        this.#shared.delete(key)
        await core.close()
      },
    })
  }
}

/** A producer that shares nothing. */
export function alone(
  createWire: () => Wire,
  options: Omit<IdempotentProducerOptions, 'onClosed'>,
): IdempotentProducer {
  const core = new Core(createWire, options)
  return new IdempotentProducer(core, { ...options, onClosed: () => core.close() })
}

/** Equal for options with which producers may share a core. */
function shareKey(options: PooledProducerOptions): string {
  const { clientId, compression, maxRequestBytes, maxRequestRecords, lingerMs, requestTimeoutMs, retryBackoffMs } =
    options
  return JSON.stringify([clientId, compression, maxRequestBytes, maxRequestRecords, lingerMs, requestTimeoutMs, retryBackoffMs, securityKey(options.security)]) // prettier-ignore
}
