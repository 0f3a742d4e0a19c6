import { type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import type { Metadata } from '../config/metadata.ts'
import { serverOf, sessionOptions } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { reflectSchema, type Root } from '../schema/index.ts'
import { CallError, firstMessage, type GrpcSession, openSession, type SessionOptions } from '../transport/index.ts'
import type { Connection } from './message-stream.ts'
import type { StatusErrors } from './status-errors.ts'
import { grpcErrors } from '../errors.ts'

/** A connection that can also ask its server for the schema. */
export interface GrpcConnection extends Connection {
  /** The GOAWAY of the server complained about too many PINGs. */
  readonly tooManyPings: boolean
  /** Called once when the server is about to close the connection, with no error. */
  onEnding: () => void
  reflect(statusErrors: StatusErrors, signal: AbortSignal): Promise<Root>
}

export interface OpenOptions {
  readonly config: GrpcConfig
  readonly metadata: Metadata
  readonly tls: SessionOptions['tls']
  /** ≤ 0: off */
  readonly keepaliveTimeMs: number
  readonly windowBytes?: number
}

export type OpenConnection = (options: OpenOptions, signal: AbortSignal) => Promise<GrpcConnection>

/** Connects. Rejects with NotConnectedError, or with the reason of the signal. */
export const openConnection: OpenConnection = async (options, signal) => {
  const { config, metadata, tls, ...session } = options
  try {
    const opened = await openSession({ ...sessionOptions(config, tls), ...session }, signal)
    return Object.assign(opened, {
      reflect: (statusErrors: StatusErrors, until: AbortSignal) =>
        reflect(opened, config, metadata, statusErrors, until),
    })
  } catch (error) {
    signal.throwIfAborted()
    throw grpcErrors.GRPC_CONNECT(`Cannot connect to ${serverOf(config)}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** A server that does not answer a question within this time is treated as gone. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Asks the server for the schema of the service, on the connection of the stream and with its metadata. Throws
 * ConfigError when the server has no reflection or no such service. `statusErrors` classifies every other status.
 */
export async function reflect(
  session: GrpcSession,
  config: GrpcConfig,
  metadata: Metadata,
  statusErrors: StatusErrors,
  signal: AbortSignal,
): Promise<Root> {
  const call = { metadata, deadlineMs: ANSWER_TIMEOUT_MS, maxMessageBytes: 64 * 1024 * 1024 }
  try {
    return await reflectSchema(
      (path, message) => firstMessage(session, { ...call, path, message }, signal),
      config['grpc.service.name'],
    )
  } catch (error) {
    throw error instanceof CallError ? meaningOf(error, statusErrors) : error
  }
}

function meaningOf(error: CallError, statusErrors: StatusErrors): ConnectError {
  const { status, message, retryAfterMs } = error.ended
  const meaning = statusErrors.errorOf(error.ended)
  if (!(meaning instanceof NotConnectedError)) return meaning
  return grpcErrors.GRPC_REFLECTION_CALL(`Server reflection failed: ${status}: ${message}`, {
    cause: error,
    retryAfterMs,
  })
}
