import { inspect } from 'node:util'

/** Shown in place of a secret; the text of Kafka's `Password.toString`. */
export const HIDDEN = '[hidden]'

/** A text that must not be printed. `reveal()` returns it; see `Secret`. */
export interface SecretLike {
  reveal(): string
}

/** A secret: `String`, JSON, templates and `inspect` give `[hidden]`. */
export class Secret implements SecretLike {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Returns the text itself. Call it where the secret is used, and do not keep the result. */
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

/** Whether the value of a key must be hidden in logs, errors and answers of validation. */
export function isSensitive(spec: { readonly type?: string; readonly sensitive?: boolean }): boolean {
  return spec.type === 'password' || spec.sensitive === true
}
