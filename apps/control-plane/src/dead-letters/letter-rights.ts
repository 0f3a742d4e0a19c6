import type { Identity } from '../access/identity.ts'
import { may, mayAll, type Right } from '../access/rights.ts'

/** Whether a caller has a right for a letter of this connector; null: the letter names none, so it may be anybody's. */
export type LetterRights = (right: Right, connector: string | null) => boolean

export function letterRights(identity: Identity): LetterRights {
  return (right, connector) => (connector === null ? mayAll(identity, right) : may(identity, right, connector))
}
