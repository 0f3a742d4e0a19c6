import {
  KeyValueListError,
  parseKeyValueList,
  type Keys,
  type PrefixSpec,
  type Rule,
  type ValuesOf,
} from '@tributary/config'
import type { ConfigError, Props } from '@tributary/connect-api'
import { pushSourceErrors } from '../errors.ts'
import type { OptionalPasswordKey, OptionalStringKey } from './key-types.ts'

const group = 'Request'
/** RFC 9110, section 5.6.2: token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** The characters that Node accepts in a header value: visible characters of Latin-1, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Headers that frame the message or manage the connection (RFC 9110, section 7.6.1; RFC 9112, section 6). */
const FRAMING = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

type RequestKeys<P extends string> = Readonly<
  Record<`${P}.${'headers' | 'auth.basic.user'}`, OptionalStringKey> &
    Record<`${P}.auth.${'token' | 'basic.password'}`, OptionalPasswordKey>
>

/**
 * The headers and credentials of an HTTP request: `<prefix>.headers`, `<prefix>.header.<name>`, `<prefix>.auth.token`,
 * `<prefix>.auth.basic.user` and `.password`. `headers` makes the request headers from them, with names in lower case. It
 * throws ConfigError for the wrong key, whose text never contains a value. The settings may not contain the headers `own`, which
 * the source sets itself; names in lower case.
 */
export function requestSettings<P extends string>(prefix: P, own: readonly string[] = []) {
  const headerPrefix = `${prefix}.header.`
  const keys = {
    [`${prefix}.headers` as const]: {
      type: 'string',
      default: null,
      validator: { kind: 'keyValueList' },
      importance: 'low',
      group,
      displayName: 'Headers',
      sensitive: true,
      doc: 'Headers of the request as name:value,name:value. Put a value with commas in double quotes.',
      example: 'User-Agent:Tributary/1.0,X-Feed:"a,b"',
    },
    [`${prefix}.auth.token` as const]: {
      type: 'password',
      default: null,
      importance: 'medium',
      group,
      displayName: 'Bearer token',
      doc: `Token of the header Authorization: Bearer <token>. This header takes precedence over an Authorization in ${prefix}.headers.`,
    },
    [`${prefix}.auth.basic.user` as const]: {
      type: 'string',
      default: null,
      importance: 'medium',
      group,
      displayName: 'User',
      dependents: [`${prefix}.auth.basic.password`],
      doc: `User name of the header Authorization: Basic …, which also contains the password. This header takes precedence over an Authorization in ${prefix}.headers.`,
    },
    [`${prefix}.auth.basic.password` as const]: {
      type: 'password',
      default: null,
      importance: 'medium',
      group,
      displayName: 'Password',
      doc: `Password of ${prefix}.auth.basic.user.`,
    },
  } satisfies Keys as RequestKeys<P>
  const prefixes: Readonly<Record<string, PrefixSpec>> = {
    [headerPrefix]: {
      importance: 'low',
      group,
      sensitive: true,
      suffix: NAME.source.slice(1, -1),
      doc: `Value of one header of the request, ${headerPrefix}<name>. This header takes precedence over the same name in ${prefix}.headers.`,
    },
  }
  const rules: readonly Rule[] = [
    { rule: 'atMostOneOf', keys: [`${prefix}.auth.token`, `${prefix}.auth.basic.user`] },
    { rule: 'requires', key: `${prefix}.auth.basic.password`, needs: [`${prefix}.auth.basic.user`] },
  ]
  const headers = (config: ValuesOf<RequestKeys<P>>, props: Props): Readonly<Record<string, string>> => {
    const values = config as Readonly<Record<string, string & { reveal(): string }>>
    const user = values[`${prefix}.auth.basic.user`]
    const token = values[`${prefix}.auth.token`]?.reveal()
    const basic = Buffer.from(`${user}:${values[`${prefix}.auth.basic.password`]?.reveal() ?? ''}`).toString('base64')
    const single = Object.entries(props).filter(([key]) => key.startsWith(headerPrefix))
    const entries: [key: string, name: string, value: string][] = [
      ...listed(`${prefix}.headers`, values[`${prefix}.headers`] ?? ''),
      ...single.map(([key, value]): [string, string, string] => [key, key.slice(headerPrefix.length), value]),
      ...(user ? [[`${prefix}.auth.basic.user`, 'authorization', `Basic ${basic}`] as [string, string, string]] : []),
      ...(token ? [[`${prefix}.auth.token`, 'authorization', `Bearer ${token}`] as [string, string, string]] : []),
    ]
    for (const [key, name, value] of entries) {
      if (!NAME.test(name)) throw invalid(key, `'${name}' is no header name`)
      if ([...own, ...FRAMING].includes(name.toLowerCase())) throw invalid(key, `the connector sets '${name}' itself`)
      if (!VALUE.test(value)) throw invalid(key, `the value of '${name}' has characters that no header may have`)
    }
    return Object.fromEntries(entries.map(([, name, value]) => [name.toLowerCase(), value]))
  }
  return { keys, prefixes, rules, headers }
}

function listed(key: string, list: string): [key: string, name: string, value: string][] {
  try {
    return parseKeyValueList(list).map(([name, value]) => [key, name, value])
  } catch (error) {
    if (!(error instanceof KeyValueListError)) throw error
    throw invalid(key, `${error.message}; headers have the form name:value,name:value`)
  }
}

function invalid(field: string, reason: string): ConfigError {
  return pushSourceErrors.REQUEST_HEADER(`Invalid value for configuration ${field}: ${reason}`, { field })
}
