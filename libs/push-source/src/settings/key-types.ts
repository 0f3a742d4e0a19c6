import type { KeySpec } from '@tributary/config'

/**
 * Types of keys whose names begin with a prefix of the caller. TypeScript loses the literal types of such keys, and with them the
 * types of the parsed values.
 */
export type BooleanKey = KeySpec & { readonly type: 'boolean'; readonly default: boolean }
export type IntKey = KeySpec & { readonly type: 'int'; readonly default: number }
export type LongKey = KeySpec & { readonly type: 'long'; readonly default: number }
export type OptionalStringKey = KeySpec & { readonly type: 'string'; readonly default: null }
export type OptionalPasswordKey = KeySpec & { readonly type: 'password'; readonly default: null }
