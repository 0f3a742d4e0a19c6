import type { FastifyRequest } from 'fastify'

/** viewer sees states; operator also pauses, resumes, stops and restarts; admin may do everything. */
export type Role = 'viewer' | 'operator' | 'admin'

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']

/**
 * One right of an identity. Its text form is `role[+configs][+records][:pattern]` everywhere: `viewer`, `operator:orders-*`,
 * `viewer+configs:orders-*`. `admin-configs` is an admin who sees no secrets, such as a pipeline that deploys.
 */
export interface Grant {
  readonly role: Role
  /** Whether configurations may be read, with their secrets. */
  readonly configs: boolean
  /** Whether keys, values and headers of records may be read. */
  readonly records: boolean
  /** Names of connectors; `*` stands for any characters. Without a pattern in the text: `*`, every connector. */
  readonly connectors: string
}

export interface Identity {
  /** `key:ci`, `oidc:alice`, `cert:CN=ci`, `user:alice`, or `anonymous` while authentication is off. */
  readonly name: string
  readonly grants: readonly Grant[]
}

/** Finds out who sends a request, by one kind of credentials. */
export interface Authenticator {
  /** How a client is told in `WWW-Authenticate` to log in, such as `Bearer realm="tributary"`; absent: not by a header. */
  readonly challenge?: string
  /** null: the request carries no credentials of this kind. Throws LoginError when they are wrong. */
  authenticate(request: FastifyRequest): Promise<Identity | null>
}

const BLIND_ADMIN = 'admin-configs'
const ADMIN: Grant = { role: 'admin', configs: true, records: true, connectors: '*' }
/** What may follow a role. */
const EXTRAS: readonly string[] = ['configs', 'records']

/** Everybody, while authentication is off. */
export const ANONYMOUS: Identity = { name: 'anonymous', grants: [ADMIN] }

/** Nobody in particular, while authentication is on: preflight requests, and routes that are open to all. */
export const UNKNOWN: Identity = { name: 'anonymous', grants: [] }

/** Parses grants that are separated by commas. Throws Error, which says what is wrong, and for a list without grants. */
export function parseGrants(text: string): Grant[] {
  const grants = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseGrant)
  if (grants.length === 0) throw new Error('no grant is given; write, for example, viewer or operator:orders-*')
  return grants
}

/** Parses one grant. Throws Error, which says what is wrong. */
export function parseGrant(text: string): Grant {
  const colon = text.indexOf(':')
  const connectors = colon < 0 ? '*' : text.slice(colon + 1).trim()
  const front = (colon < 0 ? text : text.slice(0, colon)).trim()
  const [role = '', ...extras] = (front === BLIND_ADMIN ? 'admin' : front).split('+').map((part) => part.trim())
  if (!isRole(role)) throw wrong(text, `"${role}" is no role; roles are ${ROLES.join(', ')}`)
  if (extras.some((extra, at) => !EXTRAS.includes(extra) || extras.indexOf(extra) !== at))
    throw wrong(text, 'after the role only +configs and +records may follow, each once')
  if (connectors === '')
    throw wrong(text, 'the pattern after the colon is empty; leave the colon out for every connector')
  if (connectors.includes(',')) throw wrong(text, 'a pattern has no comma; write * in its place')
  const configs = extras.includes('configs') || (role === 'admin' && front !== BLIND_ADMIN)
  return { role, configs, records: extras.includes('records') || role === 'admin', connectors }
}

/** The text form, which `parseGrant` reads. */
export function formatGrant({ role, configs, records, connectors }: Grant): string {
  const extras = `${configs ? '+configs' : ''}${records ? '+records' : ''}`
  const front = role === 'admin' ? (configs ? role : BLIND_ADMIN) : `${role}${extras}`
  return `${front}${connectors === '*' ? '' : `:${connectors}`}`
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

function wrong(grant: string, why: string): Error {
  return new Error(`the grant ${JSON.stringify(grant)} is not of the form role[+configs][+records][:pattern]: ${why}`)
}
