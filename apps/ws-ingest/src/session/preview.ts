import { HIDDEN } from '@tributary/config'

const SECRET_NAME = 'token|key|secret|password|passphrase|passwd|auth|sign|credential|jwt|cookie'
const SECRET_KEY = new RegExp(SECRET_NAME, 'i')
/** `name=value` and `name: value` outside of JSON. */
const SECRET_PAIR = new RegExp(
  `([\\w.-]*(?:${SECRET_NAME})[\\w.-]*["']?\\s*[:=]\\s*)("[^"]*"|'[^']*'|[^\\s,;&"']+)`,
  'gi',
)
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]+/gi

/**
 * A message as logs and errors may show it: secrets first replaced, then cut to `length`, as a cut first would leave the
 * beginning of one behind. Secret is what stands under a key that sounds so, and a bearer token anywhere.
 */
export function preview(text: string, length: number): string {
  const masked = maskJson(text) ?? text.replaceAll(SECRET_PAIR, `$1${HIDDEN}`)
  const shown = masked.replaceAll(BEARER, `$1 ${HIDDEN}`)
  return shown.length > length ? `${shown.slice(0, length)}…` : shown
}

/** null: it is not JSON. */
function maskJson(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => (SECRET_KEY.test(key) ? HIDDEN : value))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
