import { type ConnectError, NotConnectedError } from '@tributary/connect-api'
import type { Metadata } from './metadata.ts'
import { reflectSchema, type Root } from './schema/index.ts'
import type { GrpcConfig } from './spec.ts'
import type { Statuses } from './statuses.ts'
import { CallError, firstMessage, type GrpcSession } from './transport/index.ts'

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
