import { type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import type { Metadata } from '../config/metadata.ts'
import { serverOf, sessionOptions } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { reflectSchema, type Root } from '../schema/index.ts'
import { CallError, firstMessage, type GrpcSession, openSession, type SessionOptions } from '../transport/index.ts'
import type { Connection } from './message-stream.ts'
import type { Statuses } from './status-errors.ts'

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

/** A server that answers no question within so many ms is treated as gone. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Asks the server for the schema of the service, on the stream's own connection and with its metadata. Throws ConfigError
 * when there is no reflection or no such service; what any other status means is decided by `statuses`.
 */
export async function reflect(
  session: GrpcSession,
  config: GrpcConfig,
  metadata: Metadata,
  statuses: Statuses,
  signal: AbortSignal,
): Promise<Root> {
  const call = { metadata, deadlineMs: ANSWER_TIMEOUT_MS, maxMessageBytes: 64 * 1024 * 1024 }
  try {
    return await reflectSchema(
      (path, message) => firstMessage(session, { ...call, path, message }, signal),
      config['grpc.service.name'],
    )
  } catch (error) {
    throw error instanceof CallError ? meaningOf(error, statuses) : error
  }
}

function meaningOf(error: CallError, statuses: Statuses): ConnectError {
  const meaning = statuses.errorOf({ status: error.status, message: error.details, local: false })
  if (!(meaning instanceof NotConnectedError)) return meaning
  return new NotConnectedError('GRPC_REFLECTION_CALL', `Server reflection failed: ${error.status}: ${error.details}`, {
    cause: error,
  })
}
