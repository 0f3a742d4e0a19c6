import { compactJson, findSpan, parsePath } from '../json/json-text.ts'
import { asText, type Content } from './content.ts'

/** A document that a field path needs is no JSON, or what should be put into it is no text. */
export class FieldError extends Error {}

/** A field of a JSON document by its dotted path. */
export class FieldPath {
  readonly text: string
  readonly #names: readonly string[]

  constructor(text: string) {
    this.text = text
    this.#names = parsePath(text)
  }

  /** The JSON of the field, which `document` must be checked for (`checkedJson`); null when there is none. */
  in(document: string): string | null {
    const span = findSpan(document, this.#names)
    return span === null ? null : document.slice(span.start, span.end)
  }

  /** The document with another value for the field, without the white space between its tokens, as the JVM connector writes it. */
  replace(document: string, json: string): string {
    const { start, end } = findSpan(document, this.#names)!
    return compactJson(`${document.slice(0, start)}${json}${document.slice(end)}`)
  }
}

/** Text that is known to be JSON. Throws FieldError. */
export function checkedJson(content: Content, why: string): string {
  const text = asText(content)
  if (typeof text !== 'string') throw new FieldError(`the body is no text, and ${why} needs JSON`)
  const problem = jsonProblem(text)
  if (problem !== null) throw new FieldError(`the body is no JSON, which ${why} needs: ${problem}`)
  return text
}

/** Why a text is no JSON; null if it is. */
export function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    if (error instanceof SyntaxError) return error.message
    throw error
  }
}

/** The JSON string of content. Throws FieldError for bytes that are no text. */
export function jsonString(content: Content, path: string): string {
  return JSON.stringify(textFor(content, path))
}

/** The content itself if it is JSON, or else its JSON string. */
export function jsonOrString(content: Content, path: string): string {
  const text = textFor(content, path)
  return jsonProblem(text) === null ? text : JSON.stringify(text)
}

function textFor(content: Content, path: string): string {
  const text = asText(content)
  if (typeof text === 'string') return text
  throw new FieldError(`the content for the field ${path} is ${text.length} bytes that are no UTF-8`)
}
