import { createHash, createHmac, randomUUID } from 'node:crypto'
import { parseJson } from '@tributary/config'
import type { Clock } from '@tributary/connect-api'
import type { WebSocketConfig } from '../config/config.ts'
import { compilePath } from '../expressions/json-path.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import type { Message } from '../message/message.ts'
import { wsErrors } from '../errors.ts'

/** Returns the value of a placeholder in a template: a string, or a value of `parseJson` with raw numbers. */
export type ValueOf = (name: string) => unknown

/** Computes the signature for the values of one rendering. */
export type Signer = (valueOf: ValueOf) => string

/** Sources of the values of templates. */
export interface ValueSource {
  readonly clock: Clock
  readonly sessionId: string
  readonly signer: Signer | null
}

const RECEIVED = 'received.'
const NAMES = ['timestamp.ms', 'timestamp.s', 'timestamp.iso', 'timestamp.utc', 'uuid', 'session.id', 'signature']

/**
 * Throws ConfigError on `key` if a template names an unknown value, or a value that is not available for this key
 * (`without`; `received.` stands for all names that begin so).
 */
export function checkNames(template: Template, key: string, without: readonly string[] = []): void {
  for (const name of template.names) {
    const kind = name.startsWith(RECEIVED) && name.length > RECEIVED.length ? RECEIVED : name
    if ((kind === RECEIVED || NAMES.includes(kind)) && !without.includes(kind)) continue
    const known = [...NAMES, `${RECEIVED}<path>`].filter((n) => !without.some((other) => n.startsWith(other)))
    throw wsErrors.WEBSOCKET_TEMPLATE(`{{${name}}} in ${key} is unknown; there are ${known.join(', ')}`, {
      field: key,
    })
  }
}

/**
 * The values for one rendering. Each value is made once, so that a message and the signature in it have the same
 * timestamp. `received` is the server's message to answer. The returned function throws ConfigError for a missing
 * value.
 */
export function templateValues(
  { clock, sessionId, signer }: ValueSource,
  received: Message | null,
  key: string,
): ValueOf {
  const now = new Date(clock.now())
  const made = new Map<string, unknown>()
  const make = (name: string): unknown => {
    switch (name) {
      case 'timestamp.ms':
        return String(now.getTime())
      case 'timestamp.s':
        return String(Math.floor(now.getTime() / 1000))
      case 'timestamp.iso':
        return now.toISOString()
      case 'timestamp.utc':
        return now.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
      case 'uuid':
        return randomUUID()
      case 'session.id':
        return sessionId
      case 'signature':
        if (signer !== null) return signer(valueOf)
        throw wsErrors.WEBSOCKET_SIGNATURE(`{{signature}} in ${key} needs websocket.signature.key`, {
          field: 'websocket.signature.key',
        })
      default:
        return receivedValue(received, name.slice(RECEIVED.length), key)
    }
  }
  const valueOf: ValueOf = (name) => {
    let value = made.get(name)
    if (value === undefined) made.set(name, (value = make(name)))
    return value
  }
  return valueOf
}

/** The value of a field of the received message. Numbers keep their digits. */
function receivedValue(received: Message | null, path: string, key: string): unknown {
  let value: unknown
  try {
    value = compilePath(path)(parseJson(received?.text ?? 'null', { numbers: 'raw' }))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  if (value !== undefined && value !== null) return value
  throw wsErrors.WEBSOCKET_TEMPLATE(`{{received.${path}}} in ${key}: the server's message has no such field`, {
    field: key,
  })
}

const TEMPLATE_KEY = 'websocket.signature.template'

/**
 * The HMAC (RFC 2104) that `websocket.signature.*` describes; null without a secret key. Throws ConfigError on the
 * invalid key.
 */
export function createSigner(config: WebSocketConfig): Signer | null {
  const secret = config['websocket.signature.key']?.reveal() ?? ''
  const text = config[TEMPLATE_KEY]
  if (secret === '') return null
  if (text === null) {
    throw wsErrors.WEBSOCKET_SIGNATURE(`${TEMPLATE_KEY} must say what is signed`, { field: TEMPLATE_KEY })
  }
  const template = compileTemplate(text, TEMPLATE_KEY)
  checkNames(template, TEMPLATE_KEY, ['signature'])
  const key = decodedKey(secret, config['websocket.signature.key.encoding'])
  const algorithm = config['websocket.signature.algorithm'].replace('hmac-', '')
  const digest = config['websocket.signature.digest']
  const encoding = config['websocket.signature.encoding'] as 'hex' | 'base64' | 'base64url'
  return (valueOf) => {
    const signed = template.render(valueOf)
    const data = digest === 'none' ? signed : createHash(digest).update(signed).digest()
    return createHmac(algorithm, key).update(data).digest(encoding)
  }
}

/** Valid texts of each encoding: Buffer.from silently skips invalid characters. */
const ENCODED: Readonly<Record<string, RegExp>> = {
  hex: /^(?:[0-9a-f]{2})+$/i,
  base64: /^[A-Za-z0-9+/_-]+={0,2}$/,
}

function decodedKey(secret: string, encoding: string): Buffer {
  if (ENCODED[encoding]?.test(secret) === false) {
    const field = 'websocket.signature.key'
    throw wsErrors.WEBSOCKET_SIGNATURE(`${field} is not ${encoding}, as ${field}.encoding says`, { field })
  }
  return Buffer.from(secret, encoding as BufferEncoding)
}
