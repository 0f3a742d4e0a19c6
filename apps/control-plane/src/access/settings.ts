import { ConfigException, type Keys, type ValuesOf } from '@tributary/config'

const group = 'Access'

/** The kinds of credentials. */
const KINDS = ['keys', 'oidc', 'certificate', 'basic'] as const
export type AccessKind = (typeof KINDS)[number]

/** The algorithms of JWS with a public key (RFC 7518, RFC 8037, RFC 9864). With a shared secret anybody who checks could sign. */
const ALGORITHMS = 'RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519'

/** The settings that say who may call the REST API. */
export const accessKeys = {
  'access.authentication': {
    type: 'list',
    default: [],
    validator: {
      kind: 'pattern',
      regex: `^(${KINDS.join('|')})$`,
      message: `must be among ${KINDS.join(', ')}`,
      accepts: KINDS.join(', '),
    },
    importance: 'high',
    group,
    doc: 'How callers of the REST API prove who they are, separated by commas: keys (API keys), oidc (bearer tokens of an OpenID Connect issuer), certificate (client certificates), basic (a file of users). Empty: authentication is off, and everybody who reaches the API may do everything.',
  },
  'access.grants.file': {
    type: 'string',
    default: null,
    importance: 'high',
    group,
    doc: 'Properties file with the grants of users, certificates and OIDC subjects, read again when it changes: user.alice=operator:orders-*, viewer. Also oidc.SUBJECT, claim.VALUE and cert.NAME; * as the name stands for all that have no line of their own.',
  },
  'access.basic.file': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'File of users for basic, as the PropertyFileLoginModule of Kafka Connect reads it, read again when it changes: user: password. Better than a password is the line that main.ts keys hash-password prints.',
  },
  'access.oidc.issuer': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'Issuer of the bearer tokens, exactly as in their claim iss. An https URL; http is accepted on loopback only.',
    example: 'https://login.example.org/realms/ops',
  },
  'access.oidc.audience': {
    type: 'list',
    default: [],
    importance: 'medium',
    group,
    doc: 'Audiences, separated by commas, of which the claim aud of a bearer token must have one. Required with oidc, so that a token for another service is refused.',
  },
  'access.oidc.jwks.url': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    doc: "URL of the issuer's keys (JWKS). Unset: the jwks_uri of the issuer's /.well-known/openid-configuration.",
  },
  'access.oidc.algorithms': {
    type: 'list',
    default: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    validator: {
      kind: 'pattern',
      regex: `^(${ALGORITHMS})$`,
      message: `must be among ${ALGORITHMS.replaceAll('|', ', ')}`,
    },
    importance: 'low',
    group,
    doc: 'Signature algorithms of bearer tokens that are accepted, separated by commas.',
  },
  'access.oidc.clock.skew.ms': {
    type: 'int',
    default: 30_000,
    validator: { kind: 'range', min: 0, max: 600_000 },
    importance: 'low',
    group,
    doc: "How much, in ms, the issuer's clock may differ from ours when exp, nbf and iat of a token are checked.",
  },
  'access.oidc.name.claim': {
    type: 'string',
    default: 'sub',
    validator: { kind: 'nonEmpty' },
    importance: 'low',
    group,
    doc: 'Claim that names the caller. Choose one that users cannot change themselves.',
  },
  'access.oidc.grants.claim': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'Claim with the grants of the caller, a text or a list, such as groups or realm_access.roles. A value counts as the line claim.VALUE of access.grants.file, or as a grant such as viewer:orders-*; others are ignored. Unset: only the line oidc.SUBJECT counts.',
  },
} as const satisfies Keys

export type AccessValues = ValuesOf<typeof accessKeys>

/**
 * Throws ConfigException for settings that do not belong together. `asksForCertificates`: whether the server has TLS and
 * asks clients for their certificates.
 */
export function checkAccessSettings(settings: AccessValues, asksForCertificates: boolean): void {
  const kinds = settings['access.authentication'] as readonly AccessKind[]
  const needs = (name: keyof AccessValues, why: string): void => {
    const value = settings[name]
    if (value !== null && !(Array.isArray(value) && value.length === 0)) return
    const message = `Missing required configuration ${name}: ${why}`
    throw new ConfigException(message, [{ name, message }])
  }
  if (kinds.includes('basic')) {
    needs('access.basic.file', 'access.authentication contains basic')
    needs(
      'access.grants.file',
      'basic needs it; for the rights that Kafka Connect gives to every user, write user.*=admin',
    )
  }
  if (kinds.includes('certificate')) {
    needs('access.grants.file', 'access.authentication contains certificate')
    if (!asksForCertificates) {
      const message =
        'Invalid value certificate for configuration access.authentication: no client is asked for one; set tls.cert, tls.key, tls.ca and tls.client.auth'
      throw new ConfigException(message, [{ name: 'access.authentication', message }])
    }
  }
  if (kinds.includes('oidc')) {
    needs('access.oidc.issuer', 'access.authentication contains oidc')
    needs('access.oidc.audience', 'without it every token of the issuer would be accepted')
    if (settings['access.oidc.grants.claim'] === null) {
      needs('access.grants.file', 'oidc needs it, or access.oidc.grants.claim')
    }
    for (const name of ['access.oidc.issuer', 'access.oidc.jwks.url'] as const) checkUrl(name, settings[name])
  }
}

function checkUrl(name: string, value: string | null): void {
  if (value === null || isTrustedUrl(value)) return
  const message = `Invalid value ${value} for configuration ${name}: it must be an https URL, or an http URL of this machine`
  throw new ConfigException(message, [{ name, message }])
}

/** Whether nobody on the way can change what the URL answers. */
export function isTrustedUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return false
  return (
    url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
  )
}
