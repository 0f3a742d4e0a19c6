import type { Authenticator, Identity } from '../access/identity.ts'
import { callerOf } from './replica-requests.ts'

/**
 * Knows the caller of a request that another replica sends on, by the signed token alone: that replica has asked for the
 * credentials, and does not send them on. The leader then judges the caller's rights again.
 */
export const forwardedIdentity: Authenticator = {
  authenticate: (request) => {
    const identity = callerOf(request)?.identity
    return Promise.resolve(isIdentity(identity) ? identity : null)
  },
}

function isIdentity(value: unknown): value is Identity {
  const { name, grants } = (value ?? {}) as Partial<Identity>
  return typeof name === 'string' && Array.isArray(grants)
}
