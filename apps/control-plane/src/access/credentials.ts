import type { FastifyRequest } from 'fastify'
import { LoginError } from './login.ts'

/** The headers in which credentials are sent. */
export const CREDENTIAL_HEADERS: readonly string[] = ['Authorization', 'X-API-Key']

type Headers = FastifyRequest['headers']

/** The token of `Authorization: Bearer` (RFC 6750); null without one. */
export function bearerToken(headers: Headers): string | null {
  return credentialsOf(headers, 'bearer')
}

export interface BasicLogin {
  readonly user: string
  readonly password: string
}

/** User and password of `Authorization: Basic` (RFC 7617, UTF-8); null without them. Throws LoginError for other bytes. */
export function basicLogin(headers: Headers): BasicLogin | null {
  const encoded = credentialsOf(headers, 'basic')
  if (encoded === null) return null
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) throw LoginError.refused('the Basic credentials are not user:password in base64')
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The scheme's name is not case-sensitive (RFC 9110, 11.1). */
function credentialsOf({ authorization }: Headers, scheme: string): string | null {
  if (authorization === undefined) return null
  const [given = '', credentials] = authorization.trim().split(/ +(.*)/s)
  return given.toLowerCase() === scheme ? (credentials ?? '') : null
}
