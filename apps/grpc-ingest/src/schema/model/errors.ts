import type { ConfigError } from '@tributary/connect-api'
import { grpcErrors } from '../../errors.ts'

/** The ConfigError for a bad descriptor, with the prefix that users of the JVM connector know. */
export function descriptorError(why: string, cause?: unknown): ConfigError {
  return grpcErrors.GRPC_DESCRIPTOR(`Failed to load proto descriptor: ${why}`, {
    field: 'grpc.proto.descriptor',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The error for a descriptor that can be read but is inconsistent. `where` is the full name of the bad declaration. */
export function invalidDescriptor(where: string, why: string): ConfigError {
  const text = `${where}: ${why}`
  return descriptorError(`Invalid proto descriptor: ${text.length > 500 ? `${text.slice(0, 500)}…` : text}`)
}

/** The message of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
