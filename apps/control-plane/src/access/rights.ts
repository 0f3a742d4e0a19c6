import { matchesGlob } from './glob.ts'
import type { Grant, Identity, Role } from './identity.ts'

/**
 * What a caller needs for an operation. `open`: nothing, not even credentials. `view`: states. `configs`:
 * configurations. `records`: keys, values and headers of records. `operate`: pause, resume, stop, restart. `alter`: make, change and delete connectors. `administer`:
 * what concerns all connectors, such as log levels and keys. A path that names a connector needs the right for that connector,
 * and any other path needs the right for some connector.
 */
export type Right = 'open' | 'view' | 'configs' | 'records' | 'operate' | 'alter' | 'administer'

/** What each role may do, besides what `+configs` and `+records` add. */
const OF_ROLE: Readonly<Record<Role, readonly Right[]>> = {
  viewer: ['open', 'view'],
  operator: ['open', 'view', 'operate'],
  admin: ['open', 'view', 'records', 'operate', 'alter', 'administer'],
}

/** Whether the identity has the right for this connector. The name decides, whether or not such a connector exists. */
export function may({ grants }: Identity, right: Right, connector: string): boolean {
  return grants.some((grant) => gives(grant, right) && matchesGlob(grant.connectors, connector))
}

/** Whether the identity has the right for some connector. `administer` is given by an admin of all connectors only. */
export function mayAnywhere({ grants }: Identity, right: Right): boolean {
  return grants.some((grant) => gives(grant, right))
}

/** Whether the identity has the right for every connector there may ever be. */
export function mayAll({ grants }: Identity, right: Right): boolean {
  return grants.some((grant) => gives(grant, right) && /^\*+$/.test(grant.connectors))
}

/**
 * Whether the identity sees the secrets in the configuration of this connector. An identity that may alter a
 * configuration, but not read it, sees the configuration with its secrets masked.
 */
export function seesSecrets({ grants }: Identity, connector: string): boolean {
  return grants.some((grant) => grant.configs && matchesGlob(grant.connectors, connector))
}

/**
 * The identity with those grants alone that count for a connector; null: all. A header holds 16 KiB, and one identity may have
 * hundreds of grants.
 */
export function concerning({ name, grants }: Identity, connector: string | null): Identity {
  return {
    name,
    grants: connector === null ? grants : grants.filter((grant) => matchesGlob(grant.connectors, connector)),
  }
}

/** The grant that would give the right, in its text form. */
export function grantFor(right: Right, connector: string | null): string {
  const role = SMALLEST[right]
  return connector === null || right === 'administer' ? role : `${role}:${connector}`
}

const SMALLEST: Readonly<Record<Right, string>> = {
  open: 'viewer',
  view: 'viewer',
  configs: 'viewer+configs',
  records: 'viewer+records',
  operate: 'operator',
  alter: 'admin',
  administer: 'admin',
}

function gives({ role, configs, records, connectors }: Grant, right: Right): boolean {
  const rights = OF_ROLE[role]
  if (right === 'configs') return configs || rights.includes('alter')
  if (right === 'records' && records) return true
  // Who may make keys could give itself a key that shows the secrets.
  if (right === 'administer' && !(configs && /^\*+$/.test(connectors))) return false
  return rights.includes(right)
}
