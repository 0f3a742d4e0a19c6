import type { ConnectRecord } from '@tributary/connect-api'

/** What one evaluation reads: the record, and the variables of the macros around a node. */
export interface Scope {
  record: ConnectRecord
  readonly locals: unknown[]
}

/** What a node gives, as far as it is known before a record is there. */
export type Type = 'bool' | 'string' | 'other' | 'unknown'

export interface Compiled {
  readonly run: (scope: Scope) => unknown
  readonly type: Type
  /** Nodes: what one run costs, but for texts and lists, which count themselves. */
  readonly cost: number
  /** Set for what no record changes. */
  readonly constant?: { readonly value: unknown }
}

/** Names of the macros' variables, outermost first; the place is that in `Scope.locals`. */
export type Names = readonly string[]
