import { NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import type { Metadata } from './metadata.ts'
import { reflect } from './reflect.ts'
import type { Root } from './schema/index.ts'
import type { GrpcConfig } from './spec.ts'
import { serverOf, sessionOptions } from './settings.ts'
import type { Statuses } from './statuses.ts'
import type { Connection } from './stream.ts'
import { openSession, type SessionOptions } from './transport/index.ts'

/** A connection that can also tell its server's schema. */
export interface GrpcConnection extends Connection {
  /** Its GOAWAY complained about too many PINGs. */
  readonly tooManyPings: boolean
  reflect(statuses: Statuses, signal: AbortSignal): Promise<Root>
}

export interface OpenOptions {
  readonly config: GrpcConfig
  readonly metadata: Metadata
  readonly tls: SessionOptions['tls']
  /** ≤ 0: off */
  readonly keepaliveTimeMs: number
}

export type OpenGrpc = (options: OpenOptions, signal: AbortSignal) => Promise<GrpcConnection>

/** Connects. Rejects with NotConnectedError, or the signal's reason. */
export const openGrpc: OpenGrpc = async ({ config, metadata, tls, keepaliveTimeMs }, signal) => {
  try {
    const session = await openSession({ ...sessionOptions(config, tls), keepaliveTimeMs }, signal)
    return Object.assign(session, {
      reflect: (statuses: Statuses, until: AbortSignal) => reflect(session, config, metadata, statuses, until),
    })
  } catch (error) {
    signal.throwIfAborted()
    throw new NotConnectedError('GRPC_CONNECT', `Cannot connect to ${serverOf(config)}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}
