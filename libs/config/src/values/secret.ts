import { inspect } from 'node:util'

/** What is shown in a secret's place; the text of Kafka's `Password.toString`. */
export const HIDDEN = '[hidden]'

/** A secret that does not print: `String(s)`, JSON and inspect give `[hidden]`; `reveal()` gives the text. */
export interface SecretLike {
  reveal(): string
}

/** A text that does not print: `String`, JSON, templates and `inspect` give `[hidden]`. */
export class Secret implements SecretLike {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. Call it where the secret is used, and keep the result nowhere. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}

/** Must the key's value be kept out of logs and answers? */
export function isSensitive(spec: { readonly type?: string; readonly sensitive?: boolean }): boolean {
  return spec.type === 'password' || spec.sensitive === true
}
