import type { KeySpec } from '@tributary/config'

/**
 * The types of keys whose names hold a prefix that the caller chooses. A literal would lose its type there, and with it the type
 * of the parsed value.
 */
export type BooleanKey = KeySpec & { readonly type: 'boolean'; readonly default: boolean }
export type IntKey = KeySpec & { readonly type: 'int'; readonly default: number }
export type LongKey = KeySpec & { readonly type: 'long'; readonly default: number }
export type OptionalStringKey = KeySpec & { readonly type: 'string'; readonly default: null }
export type OptionalPasswordKey = KeySpec & { readonly type: 'password'; readonly default: null }
