import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import type { Metadata } from '../config/metadata.ts'
import { addressesOf, sessionOptions } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { type Ask, reflectSchema, reflectType, type Root } from '../schema/index.ts'
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
  /** The schema with one more message type; null when the server does not tell. Rejects with NotConnectedError. */
  reflectType(root: Root, typeName: string, signal: AbortSignal): Promise<Root | null>
}

export interface OpenOptions {
  readonly config: GrpcConfig
  readonly metadata: Metadata
  readonly tls: SessionOptions['tls']
  /** ≤ 0: off */
  readonly keepaliveTimeMs: number
  readonly windowBytes?: number | undefined
}

export type OpenConnection = (options: OpenOptions, signal: AbortSignal) => Promise<GrpcConnection>

/**
 * Connects to the first address that answers. Rejects with NotConnectedError, with ConfigError for an address that the worker denies, or
 * with the reason of the signal.
 */
export const openConnection: OpenConnection = async (options, signal) => {
  const { config, metadata } = options
  const session = await openFirst(options, signal)
  return Object.assign(session, {
    reflect: (statusErrors: StatusErrors, until: AbortSignal) =>
      reflect(session, config, metadata, statusErrors, until),
    reflectType: (root: Root, typeName: string, until: AbortSignal) =>
      reflectMore(session, metadata, root, typeName, until),
  })
}

/**
 * Tries the addresses in order, as gRPC's pick_first does. Each gets an equal share of the time that is left, so that one which
 * swallows packets does not cost the others their turn.
 */
async function openFirst(
  { config, tls, keepaliveTimeMs, windowBytes }: OpenOptions,
  signal: AbortSignal,
): Promise<GrpcSession> {
  const addresses = addressesOf(config)
  const end = performance.now() + config['grpc.connection.timeout.ms']
  const reasons: string[] = []
  let cause: unknown
  for (const [index, address] of addresses.entries()) {
    const share = (end - performance.now()) / (addresses.length - index)
    const connectTimeoutMs = Math.max(1, Math.ceil(share))
    try {
      const session = sessionOptions(config, address, tls)
      return await openSession({ ...session, connectTimeoutMs, keepaliveTimeMs, windowBytes }, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ConfigError) throw error
      cause ??= error
      reasons.push(`${address.path ?? address.authority}: ${reasonOf(error)}`)
    }
  }
  throw grpcErrors.GRPC_CONNECT(`Cannot connect to ${reasons.join('; ')}`, { cause })
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
  try {
    return await reflectSchema(asking(session, metadata, signal), config['grpc.service.name'])
  } catch (error) {
    throw error instanceof CallError ? meaningOf(error, statusErrors) : error
  }
}

function asking(session: GrpcSession, metadata: Metadata, signal: AbortSignal): Ask {
  const call = { metadata, deadlineMs: ANSWER_TIMEOUT_MS, maxMessageBytes: 64 * 1024 * 1024 }
  return (path, message) => firstMessage(session, { ...call, path, message }, signal)
}

/** Statuses of a server that may answer the same question later. With any other it will not tell the type. */
const MAY_HEAL: readonly string[] = ['CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'UNAVAILABLE']

async function reflectMore(
  session: GrpcSession,
  metadata: Metadata,
  root: Root,
  typeName: string,
  signal: AbortSignal,
): Promise<Root | null> {
  try {
    return await reflectType(asking(session, metadata, signal), root, typeName)
  } catch (error) {
    if (error instanceof CallError && (error.local || MAY_HEAL.includes(error.status))) throw reflectionFailed(error)
    if (error instanceof CallError || error instanceof ConfigError) return null
    throw error
  }
}

function meaningOf(error: CallError, statusErrors: StatusErrors): ConnectError {
  const meaning = statusErrors.errorOf(error.ended)
  if (!(meaning instanceof NotConnectedError)) return meaning
  return reflectionFailed(error)
}

function reflectionFailed(error: CallError): NotConnectedError {
  const { status, message, retryAfterMs } = error.ended
  return grpcErrors.GRPC_REFLECTION_CALL(`Server reflection failed: ${status}: ${message}`, {
    cause: error,
    retryAfterMs,
  })
}
