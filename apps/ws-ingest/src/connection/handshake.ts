import { unescape } from 'node:querystring'
import { KeyValueListError, parseKeyValueList } from '@tributary/config'
import type { ConfigError, Props } from '@tributary/connect-api'
import { type WebSocketConfig, websocketSpec } from '../config/config.ts'
import { HEADER_PREFIX, QUERY_PREFIX } from '../config/connection-keys.ts'
import { plain } from '../expressions/json-places.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import { checkNames, type ValueOf } from './template-values.ts'
import { wsErrors } from '../errors.ts'

/** RFC 9110, section 5.6.2: token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Characters that Node accepts in a header value: visible Latin-1 characters, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Headers that the handshake sets itself. Like the JVM connector, they are ignored in the configuration. */
const RESERVED =
  /^(?:connection|upgrade|content-length|transfer-encoding|sec-websocket-(?:key|version|extensions|accept))$/
const PROTOCOL_HEADER = 'sec-websocket-protocol'
const USER_AGENT = 'tributary-ws-ingest'

/** The request of one opening handshake, with all templates filled in. */
export interface HandshakeRequest {
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly subprotocols: readonly string[]
  /** The subprotocols come from a header of the configuration, where some servers expect a token. */
  readonly subprotocolsMayBeSecret: boolean
}

interface NamedTemplate {
  readonly name: string
  readonly template: Template
  /** The configuration key. */
  readonly key: string
}

/** URL, query and headers of the opening handshake as templates, which are filled in on each connect. */
export class HandshakeTemplate {
  readonly #url: Template
  readonly #query: readonly NamedTemplate[]
  readonly #headers: ReadonlyMap<string, NamedTemplate>
  readonly #subprotocols: readonly string[]
  readonly #subprotocolsMayBeSecret: boolean

  /** Throws ConfigError on the invalid key; its text never contains a value. */
  constructor(config: WebSocketConfig, props: Props) {
    this.#url = template(config['websocket.url'], 'websocket.url')
    this.#query = entries(websocketSpec.prefixed(props, QUERY_PREFIX), QUERY_PREFIX)
    const headers = headersOf(config, props)
    const fromHeader = headers.get(PROTOCOL_HEADER)?.template.render(() => '') ?? ''
    headers.delete(PROTOCOL_HEADER)
    this.#headers = headers
    const listed = config['websocket.subprotocols']
    this.#subprotocolsMayBeSecret = listed.length === 0
    this.#subprotocols = listed.length > 0 ? listed : fromHeader.split(',').flatMap((name) => name.trim() || [])
  }

  /** The request of the next handshake. Throws ConfigError if the values make the request invalid. */
  request(valueOf: ValueOf): HandshakeRequest {
    // A value must not begin another parameter, nor turn a + of base64 into a blank.
    const url = URL.parse(this.#url.render((name) => encoded(plain(valueOf(name)))))
    if (url === null) {
      const text = 'websocket.url, once its templates are filled in, is no URL'
      throw wsErrors.WEBSOCKET_URL(text, { field: 'websocket.url' })
    }
    const fromUrl = basicAuth(url.username, url.password)
    url.username = ''
    url.password = ''
    url.hash = ''
    const configured = [...this.#headers].map(([name, part]) => [name, checkedValue(part, valueOf)] as const)
    const query = this.#query.map((part) => `${encoded(part.name)}=${encoded(part.template.render(valueOf))}`)
    // searchParams would re-encode the existing query, over which a signature may have been computed.
    url.search = [url.search.slice(1), ...query].filter((text) => text !== '').join('&')
    return {
      url: url.href,
      headers: { 'user-agent': USER_AGENT, ...fromUrl, ...Object.fromEntries(configured) },
      subprotocols: this.#subprotocols,
      subprotocolsMayBeSecret: this.#subprotocolsMayBeSecret,
    }
  }
}

/** Headers by name in lower case; later sources take precedence. */
function headersOf(config: WebSocketConfig, props: Props): Map<string, NamedTemplate> {
  const token = config['websocket.auth.token']?.reveal()
  const user = config['websocket.auth.basic.user']
  const password = config['websocket.auth.basic.password']?.reveal() ?? ''
  const parts = [
    ...listed(config['websocket.headers'] ?? ''),
    ...entries(websocketSpec.prefixed(props, HEADER_PREFIX), HEADER_PREFIX),
    ...(user ? [literal('authorization', basic(user, password), 'websocket.auth.basic.user')] : []),
    ...(token ? [literal('authorization', `Bearer ${token}`, 'websocket.auth.token')] : []),
  ]
  const headers = new Map<string, NamedTemplate>()
  for (const part of parts) {
    if (!NAME.test(part.name)) throw illegal(`'${part.name}' is no header name`, part.key)
    const name = part.name.toLowerCase()
    if (!RESERVED.test(name)) headers.set(name, part)
  }
  for (const part of headers.values()) checkedValue(part, () => '')
  return headers
}

function listed(list: string): NamedTemplate[] {
  const key = 'websocket.headers'
  try {
    return parseKeyValueList(list).map(([name, value]) => ({ name, template: template(value, key), key }))
  } catch (error) {
    if (!(error instanceof KeyValueListError)) throw error
    throw illegal(`${error.message}; they have the form name:value,name:value`, key)
  }
}

function entries(values: Readonly<Record<string, string>>, prefix: string): NamedTemplate[] {
  return Object.entries(values).map(([name, value]) => {
    const key = prefix + name
    return { name, template: template(value, key), key }
  })
}

function template(text: string, key: string): Template {
  const compiled = compileTemplate(text, key)
  // No message of the server has arrived before the handshake.
  checkNames(compiled, key, ['received.'])
  return compiled
}

/** A template without placeholders, because a secret may contain braces. */
function literal(name: string, text: string, key: string): NamedTemplate {
  return { name, template: { names: [], render: () => text }, key }
}

function basicAuth(user: string, password: string): Record<string, string> {
  if (user === '' && password === '') return {}
  return { authorization: basic(unescape(user), unescape(password)) }
}

/** Basic authentication (RFC 7617) with charset UTF-8. */
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function checkedValue({ name, template: filled, key }: NamedTemplate, valueOf: ValueOf): string {
  const value = filled.render(valueOf)
  if (VALUE.test(value)) return value
  throw illegal(`the value of '${name}' has characters that no header may have, such as a line break`, key)
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function illegal(reason: string, field: string): ConfigError {
  return wsErrors.WEBSOCKET_HEADER(`Invalid header of the handshake: ${reason}`, { field })
}
