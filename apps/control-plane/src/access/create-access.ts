import type { AccessStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { ApiKeyAuthenticator } from './authenticators/api-keys.ts'
import { BasicAuthenticator, parseUsers } from './authenticators/basic.ts'
import { CertificateAuthenticator } from './authenticators/certificates.ts'
import { GrantsFile, type GrantsSource } from './grants-file.ts'
import type { Authenticator } from './identity.ts'
import { type AccessKind, type AccessValues, checkAccessSettings } from './settings.ts'
import { WatchedFile } from './watched-file.ts'

export interface AccessParts {
  /** null: API keys are off. */
  readonly keys: AccessStore | null
  /** Whether the server has TLS and asks clients for their certificates. */
  readonly asksForCertificates: boolean
  readonly log: Logger
}

/**
 * The authenticators that the settings ask for, in the order in which they are asked: a header that the client sent for
 * this request counts before the certificate of its connection. Throws ConfigException.
 */
export async function createAuthenticators(
  settings: AccessValues,
  { keys, asksForCertificates, log }: AccessParts,
): Promise<Authenticator[]> {
  checkAccessSettings(settings, asksForCertificates)
  const kinds = settings['access.authentication'] as readonly AccessKind[]
  const grants = await grantsSource(settings['access.grants.file'], log)
  const authenticators: Authenticator[] = []
  if (keys !== null) authenticators.push(new ApiKeyAuthenticator(keys))
  if (kinds.includes('oidc')) authenticators.push(await bearerTokens(settings, grants, log))
  if (kinds.includes('basic')) {
    const path = settings['access.basic.file']!
    const users = await WatchedFile.open({ setting: 'access.basic.file', path, parse: parseUsers, log })
    authenticators.push(new BasicAuthenticator(() => users.current(), grants))
  }
  if (kinds.includes('certificate')) authenticators.push(new CertificateAuthenticator(grants))
  return authenticators
}

async function grantsSource(path: string | null, log: Logger): Promise<GrantsSource> {
  if (path === null) return () => Promise.resolve(GrantsFile.EMPTY)
  const parse = (text: string): GrantsFile => GrantsFile.parse(text)
  const file = await WatchedFile.open({ setting: 'access.grants.file', path, parse, log })
  return () => file.current()
}

/** Loaded on demand: jose takes 20 ms of a start, and few services need it. */
async function bearerTokens(settings: AccessValues, grants: GrantsSource, log: Logger): Promise<Authenticator> {
  const { BearerTokenAuthenticator } = await import('./oidc/bearer-tokens.ts')
  const { IssuerKeys } = await import('./oidc/issuer-keys.ts')
  const issuer = settings['access.oidc.issuer']!
  return new BearerTokenAuthenticator({
    keys: new IssuerKeys({ issuer, jwksUrl: settings['access.oidc.jwks.url'], log }),
    issuer,
    audience: settings['access.oidc.audience'],
    algorithms: settings['access.oidc.algorithms'],
    clockSkewMs: settings['access.oidc.clock.skew.ms'],
    nameClaim: settings['access.oidc.name.claim'],
    grantsClaim: settings['access.oidc.grants.claim'],
    grants,
  })
}
