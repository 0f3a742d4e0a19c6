import type { ConfigType } from '../values/parse-value.ts'
import type { SecretLike } from '../values/secret.ts'

/**
 * The settings of a component as data: the one source of parsing, validation, documentation and the REST answers. A
 * spec contains no functions, so a worker can publish it and the control plane can validate without the code of the
 * connector.
 */

export type Importance = 'high' | 'medium' | 'low'
export type Width = 'none' | 'short' | 'medium' | 'long'

/**
 * A check of one value after it was parsed to its type. `message` replaces the text after `Invalid value v for
 * configuration k: `.
 */
export type Validator =
  /** `rejectNull`, here and below: a missing value is reported a second time, as by those of Kafka's validators that do so. */
  | { readonly kind: 'nonEmpty'; readonly message?: string; readonly rejectNull?: boolean }
  | { readonly kind: 'nonNull' }
  /** Connect's check of the name of a connector: not empty, no control characters. */
  | { readonly kind: 'nameText' }
  /**
   * `rejectNull`: a value that did not parse is reported a second time, `Value must be non-null`, as by Kafka's Range.
   */
  | {
      readonly kind: 'range'
      readonly min?: number
      readonly max?: number
      readonly message?: string
      readonly rejectNull?: boolean
    }
  | {
      readonly kind: 'oneOf'
      readonly values: readonly string[]
      readonly ignoreCase?: boolean
      readonly rejectNull?: boolean
    }
  /** `accepts`: the accepted values in words, for the documentation. */
  | { readonly kind: 'pattern'; readonly regex: string; readonly message: string; readonly accepts?: string }
  /** A name that a topic can have, and that of no internal topic. `orBlank`: a blank value passes too, and stands for none. `deadLetters`: the topic gets dead letters. */
  | { readonly kind: 'topicName'; readonly orBlank?: boolean; readonly deadLetters?: boolean }
  | { readonly kind: 'json'; readonly shape?: 'object' }
  /**
   * `label` (default `URL`) begins each message. `rejectNull`: a missing value is reported a second time, `<label>
   * cannot be null`. `userInfo`: the URL may not contain user and password; they belong into these keys.
   */
  | {
      readonly kind: 'url'
      readonly schemes: readonly string[]
      readonly userInfo?: string
      readonly label?: string
      readonly rejectNull?: boolean
    }
  /** For type `class`: one of these names. Any other gives `Class C could not be found.` and counts as not parsed. */
  | { readonly kind: 'knownClass'; readonly names: readonly string[] }
  /** `k1:v1,k2:v2`. A value that contains commas is written in double quotes. */
  | { readonly kind: 'keyValueList' }
  /** A regular expression that `compilePattern` takes; the texts begin as those of Connect's RegexValidator. */
  | { readonly kind: 'regex'; readonly rejectNull?: boolean }
  /** For lists: `field:type,…` of Connect's Cast, and `old:new,…` of its ReplaceField. */
  | { readonly kind: 'castSpec' }
  | { readonly kind: 'renames' }
  | { readonly kind: 'all'; readonly of: readonly Validator[] }

export interface KeySpec {
  readonly type: ConfigType
  /** Absent: the key is required. `null`: the key is optional and has no value by default. */
  readonly default?: string | number | bigint | boolean | readonly string[] | null
  readonly validator?: Validator
  readonly importance: Importance
  /** One or two plain sentences, with units and ranges. */
  readonly doc: string
  readonly group?: string
  /** The position within the group, from 1. Absent: the position of the declaration. */
  readonly order?: number
  readonly displayName?: string
  readonly width?: Width
  readonly dependents?: readonly string[]
  readonly recommended?: readonly string[]
  /** Shown in the documentation as an example value. */
  readonly example?: string
  /** Set for a key that has no effect any more or was replaced: the text of the documentation and of one warning. */
  readonly deprecated?: string
  /** The value is hidden as a PASSWORD is, although its type is not PASSWORD (kept STRING for old clients). */
  readonly sensitive?: boolean
  /** Accepts a trailing ` # comment` on the value, which properties files of users contain by mistake. */
  readonly stripComment?: boolean
  /**
   * Keeps the characters at both ends of a string, which Kafka's ConfigDef would trim. For texts that are sent as they
   * stand, where a control character may be part of the protocol.
   */
  readonly untrimmed?: boolean
  /** The name of the key in the errors of its validator; absent: its name. Set by `embedSpec`. */
  readonly checkedAs?: string
  /** For the settings of a service: the environment variable, when it is not `TRIBUTARY_<KEY>`. */
  readonly env?: string
}

/**
 * A family of keys with one prefix, such as `grpc.metadata.<name>`. It is declared as `grpc.metadata.`; each value is a
 * string.
 */
export interface PrefixSpec {
  readonly importance: Importance
  readonly doc: string
  readonly group?: string
  readonly type?: 'string' | 'password'
  /** A regular expression for the name after the prefix. */
  readonly suffix?: string
  /** The check of each value. */
  readonly validator?: Validator
  readonly sensitive?: boolean
  /** As in KeySpec, for every value of the family. */
  readonly untrimmed?: boolean
}

/** A rule over several keys. Its error is reported on `on` (default: the first key that it names). */
export type Rule =
  | {
      readonly rule: 'requires'
      readonly key: string
      readonly needs: readonly string[]
      readonly on?: string
      readonly message?: string
    }
  | { readonly rule: 'atLeastOneOf'; readonly keys: readonly string[]; readonly message?: string }
  | { readonly rule: 'exactlyOneOf'; readonly keys: readonly string[]; readonly message?: string }
  | { readonly rule: 'atMostOneOf'; readonly keys: readonly string[]; readonly message?: string }
  | { readonly rule: 'visibleWhen'; readonly key: string; readonly when: string; readonly equals: readonly string[] }
  | {
      readonly rule: 'requiredWhen'
      readonly key: string
      readonly when: string
      readonly equals: readonly string[]
      readonly message?: string
    }

/** The settings as a user sent them. Undefined means absent; null is an error, as in Connect. */
export type RawProps = Readonly<Record<string, string | null | undefined>>

export type Keys = Readonly<Record<string, KeySpec>>

/** The data of a spec, as it is published to the plugins topic. bigint defaults are written as strings. */
export interface ConfigSpecData {
  readonly keys: Keys
  readonly prefixes?: Readonly<Record<string, PrefixSpec>>
  readonly rules?: readonly Rule[]
}

type ParsedOf<S extends KeySpec> = S['type'] extends 'int' | 'double'
  ? number
  : S['type'] extends 'long'
    ? number
    : S['type'] extends 'boolean'
      ? boolean
      : S['type'] extends 'list'
        ? string[]
        : S['type'] extends 'password'
          ? SecretLike
          : string

type Nullable<S extends KeySpec> = S extends { readonly default: null } ? null : never

/**
 * The typed result of parsing: `{ 'grpc.server.port': number; 'grpc.tls.ca.cert': string | null; … }`. A LONG is a
 * number and must be a safe integer.
 */
export type ValuesOf<K extends Keys> = { readonly [N in keyof K]: ParsedOf<K[N]> | Nullable<K[N]> }
