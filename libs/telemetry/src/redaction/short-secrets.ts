import { passwordOf, SECRET_NAME } from './forms.ts'

/**
 * Secrets of fewer than four characters. To replace `1` or `on` wherever they stand would destroy texts, so such a secret is
 * replaced where the text itself says that a secret follows: after a name that sounds like one (`password=on`, `"token":"on"`,
 * `Bearer on`), as the password of a URL (`://user:on@`), and in `Basic …`, which is decoded. Everything else shows it.
 */
export class ShortSecrets {
  readonly #counts = new Map<string, number>()
  #named: RegExp | null = null

  add(secret: string): void {
    this.#counts.set(secret, (this.#counts.get(secret) ?? 0) + 1)
    this.#named = null
  }

  /** Reverses one `add`. */
  remove(secret: string): void {
    const count = this.#counts.get(secret) ?? 0
    if (count > 1) this.#counts.set(secret, count - 1)
    else this.#counts.delete(secret)
    this.#named = null
  }

  replaceIn(text: string, by: string): string {
    if (this.#counts.size === 0) return text
    if (this.#counts.has(text.trim())) return by
    this.#named ??= namedPattern([...this.#counts.keys()])
    return text
      .replaceAll(this.#named, `$1${by}`)
      .replaceAll(/\b(basic\s+)([\w+/-]+=*)/gi, (all: string, scheme: string, login: string) =>
        this.#counts.has(passwordOf(Buffer.from(login, 'base64').toString())) ? `${scheme}${by}` : all,
      )
  }
}

function namedPattern(secrets: readonly string[]): RegExp {
  const any = secrets
    .toSorted((a, b) => b.length - a.length)
    .map((secret) => secret.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`))
    .join('|')
  const name = `(?:${SECRET_NAME}|pass|pwd|pin|bearer|basic)[\\w.-]{0,64}(?![\\w.-])[\\\\"']*\\s*(?:[:=]|is\\b|of\\b)?\\s*[\\\\"']*`
  return new RegExp(`(${name}|://[^\\s/?#@:]*:)(?:${any})(?![\\w])`, 'gi')
}
