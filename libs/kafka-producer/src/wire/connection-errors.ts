import type { KafkaConnection } from '@tributary/config'
import type { ConfigError, RetriableError } from '@tributary/connect-api'
import { AuthenticationError } from '@tributary/kafka/client'
import { producerErrors, refusedLogin } from '../errors.ts'
import { protocolErrorOf } from '../protocol-errors.ts'

/** The verification errors of OpenSSL and of Node, as they stand in `code`. */
const TLS_REFUSALS: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** An error, its causes, and the members of aggregates. */
export function* errorTree(error: unknown): Generator<Error> {
  const seen = new Set<unknown>()
  const open: unknown[] = [error]
  while (open.length > 0) {
    const next = open.shift()
    if (!(next instanceof Error) || seen.has(next)) continue
    seen.add(next)
    yield next
    open.push(next.cause)
    if (next instanceof AggregateError) open.push(...(next.errors as unknown[]))
  }
}

export function codeOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/**
 * The config error for refused credentials or certificates, which the user must change; null for every other error of a
 * connection.
 */
export function refusedConnection(error: unknown, address: string, connection: KafkaConnection): ConfigError | null {
  for (const part of errorTree(error)) {
    const code = codeOf(part)
    if (TLS_REFUSALS.has(code) || code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_')) {
      const text = `TLS with Kafka at ${address} failed: ${part.message}; check the certificates and the CA`
      return producerErrors.TLS_HANDSHAKE_FAILED(text, { cause: error })
    }
    if (part.message.includes('Broker requires TLS')) {
      return producerErrors.TLS_REQUIRED(`Kafka at ${address} speaks TLS; switch it on`, { cause: error })
    }
  }
  const sasl = connection.sasl
  if (sasl === undefined || !isRefusedLogin(error)) return null
  const text = `SASL authentication failed: Kafka at ${address} refused the login of "${sasl.username}" by ${sasl.mechanism}; check user, password and mechanism`
  return refusedLogin(text, error)
}

const LOGIN_REFUSALS: ReadonlySet<unknown> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])

/**
 * Both clients report a connection that broke during the login in the same way. Only an answer of the broker, or a bad
 * signature of the server, is a refusal.
 */
function isRefusedLogin(error: unknown): boolean {
  for (const part of errorTree(error)) {
    if (LOGIN_REFUSALS.has((part as { type?: unknown }).type)) return true
    if (part instanceof AuthenticationError) return true
  }
  return false
}

export function noAnswer(what: string, address: string, cause: unknown): RetriableError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return producerErrors.KAFKA_NO_ANSWER(`no answer from Kafka at ${address} to ${what}: ${reason}`, { cause })
}

/** The code that explains a failed answer best. OPERATION_NOT_ATTEMPTED only says that another item failed. */
export function mostSpecificCode(codes: readonly number[]): number {
  const OPERATION_NOT_ATTEMPTED = 55
  const failed = codes.filter((code) => protocolErrorOf(code).remedy !== 'none')
  return failed.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? failed[0] ?? 0
}
