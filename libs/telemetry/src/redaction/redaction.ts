import { formsOf, PLAIN_WORDS, secretsIn } from './forms.ts'
import { type Indexed, MIN_INDEXED_LENGTH, SecretIndex, type Span } from './secret-index.ts'
import { ShortSecrets } from './short-secrets.ts'
import { inOriginal, viewsOf } from './views.ts'

const HIDDEN = '[hidden]'

/** Secrets, and the texts in which they are hidden. */
export class Redaction {
  /** The secrets by value, each with the number of times that it was given. A thousand tasks may share one. */
  readonly #known = new Map<
    string,
    { count: number; readonly forms: readonly Indexed[]; readonly short: readonly string[] }
  >()
  readonly #index = new SecretIndex()
  readonly #shortSecrets = new ShortSecrets()

  /** Hides these values until the returned function is called. See `hideSecrets`. */
  hide(values: Iterable<string>): () => void {
    const given = [...new Set(values)]
    for (const value of given) this.#add(value)
    let ended = false
    return () => {
      if (!ended) for (const value of given) this.#remove(value)
      ended = true
    }
  }

  /** See `redact`. */
  redact(text: string): string {
    if (this.#known.size === 0) return text
    return this.#shortSecrets.replaceIn(replaced(text, this.#spansIn(text)), HIDDEN)
  }

  #add(value: string): void {
    const present = this.#known.get(value)
    if (present) {
      present.count++
      return
    }
    const secrets = secretsIn(value)
    const short = secrets.map(({ text }) => text).filter((text) => text !== '' && text.length < MIN_INDEXED_LENGTH)
    const forms = secrets.filter(({ text }) => text.length >= MIN_INDEXED_LENGTH).flatMap(formsOf)
    this.#known.set(value, { count: 1, forms, short })
    for (const form of forms) this.#index.add(form)
    for (const secret of short) this.#shortSecrets.add(secret)
  }

  #remove(value: string): void {
    const present = this.#known.get(value)
    if (!present || --present.count > 0) return
    this.#known.delete(value)
    for (const form of present.forms) this.#index.remove(form)
    for (const secret of present.short) this.#shortSecrets.remove(secret)
  }

  #spansIn(text: string): Span[] {
    if (this.#index.isEmpty) return []
    const spans = this.#index.spansIn(text)
    for (const view of viewsOf(text)) {
      for (const span of this.#index.spansIn(view.text)) spans.push(inOriginal(view, span))
    }
    return spans.filter(([start, end]) => !this.#isPlain(text.slice(start, end))).sort(([a], [b]) => a - b)
  }

  /** Whether a piece of a secret is an ordinary word. A secret that is one as a whole is hidden. */
  #isPlain(found: string): boolean {
    return PLAIN_WORDS.has(found.toLowerCase()) && !this.#known.has(found)
  }
}

const ofProcess = new Redaction()

/**
 * Hides the values of secret settings in all texts that leave this process, until the returned function is called: log lines by
 * themselves, other texts by `redact`. The whole process is covered, because an error of a library may carry a task's secret into
 * any text. `values` may be PEM, JSON, lists of headers or URLs: the secrets in them are hidden too.
 */
export function hideSecrets(values: Iterable<string>): () => void {
  return ofProcess.hide(values)
}

/**
 * Replaces by `[hidden]` every secret that `hideSecrets` has: also a beginning or an end of eight characters or more, as another
 * program may have cut it; in upper or lower case; in hexadecimal, in base64 (of `user:password` too), and escaped as in URLs and in
 * JSON. Of secrets of fewer than four characters those that the text names; see ShortSecrets. The time depends on the length of the
 * text, not on the number of secrets: about 0.05 µs for each character.
 */
export function redact(text: string): string {
  return ofProcess.redact(text)
}

/** `spans` are sorted. Those that overlap become one. */
function replaced(text: string, spans: readonly Span[]): string {
  let result = ''
  let from = 0
  for (const [start, end] of spans) {
    if (end <= from) continue
    if (start >= from) result += text.slice(from, start) + HIDDEN
    from = end
  }
  return from === 0 ? text : result + text.slice(from)
}
