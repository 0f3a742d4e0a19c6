import { createHash, createHmac } from 'node:crypto'
import { ConfigError } from '@tributary/connect-api'
import { compileTemplate } from '../template.ts'
import type { WebSocketConfig } from '../spec.ts'
import { checkNames, type Signer } from './template-values.ts'

const TEMPLATE_KEY = 'websocket.signature.template'

/**
 * The HMAC (RFC 2104) that `websocket.signature.*` describes; null without a key. Throws ConfigError on the setting that
 * does not fit.
 */
export function createSigner(config: WebSocketConfig): Signer | null {
  const secret = config['websocket.signature.key']?.reveal() ?? ''
  const text = config[TEMPLATE_KEY]
  if (secret === '') return null
  if (text === null) {
    throw new ConfigError('WEBSOCKET_SIGNATURE', `${TEMPLATE_KEY} must say what is signed`, { field: TEMPLATE_KEY })
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

/** Of what does not fit, Buffer.from would leave out a part without a word. */
const FORMS: Readonly<Record<string, RegExp>> = {
  hex: /^(?:[0-9a-f]{2})+$/i,
  base64: /^[A-Za-z0-9+/_-]+={0,2}$/,
}

function decodedKey(secret: string, encoding: string): Buffer {
  if (FORMS[encoding]?.test(secret) === false) {
    const field = 'websocket.signature.key'
    throw new ConfigError('WEBSOCKET_SIGNATURE', `${field} is not ${encoding}, as ${field}.encoding says`, { field })
  }
  return Buffer.from(secret, encoding as BufferEncoding)
}
