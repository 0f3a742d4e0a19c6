import { parseGrants } from '../access/identity.ts'
import type { Access } from '../access/login.ts'

/** Lets a request in with the grants in its header `x-grants`, such as `operator:orders-*, viewer`. */
export const GRANTS_ACCESS: Access = {
  authenticators: [
    {
      authenticate: async ({ headers: { 'x-grants': grants } }) =>
        grants === undefined ? null : { name: 'key:test', grants: parseGrants(String(grants)) },
    },
  ],
}
