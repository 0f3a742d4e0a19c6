import { HIDDEN } from '@tributary/config'
import { redact, SECRET_NAME } from '@tributary/telemetry'

const SECRET_KEY = new RegExp(SECRET_NAME, 'i')
/** `name=value` and `name: value` outside JSON. */
const SECRET_PAIR = new RegExp(`((?:${SECRET_NAME})[\\w.-]{0,64}["']?\\s*[:=]\\s*)("[^"]*"|'[^']*'|[^\\s,;&"']+)`, 'gi')
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]+/gi

/**
 * Text of a server for logs and errors. Secrets are masked before the text is cut to `length` characters, because a cut could
 * leave a part of a secret that nothing recognises. Masked are the secrets of configurations, values of keys that sound like secrets,
 * and bearer tokens anywhere.
 */
export function preview(text: string, length: number): string {
  const known = redact(text)
  const masked = maskJson(known) ?? known.replaceAll(SECRET_PAIR, `$1${HIDDEN}`)
  const shown = masked.replaceAll(BEARER, `$1 ${HIDDEN}`)
  return shown.length > length ? `${shown.slice(0, length)}…` : shown
}

/** null: the text is not JSON. */
function maskJson(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => (SECRET_KEY.test(key) ? HIDDEN : value))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
