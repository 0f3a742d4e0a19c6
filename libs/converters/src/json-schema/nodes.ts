import { parseJson } from '@tributary/config'
import { badSchema } from './common.ts'

/** An object of a JSON Schema, with the document in which its references point. */
export interface Node {
  readonly raw: Readonly<Record<string, unknown>>
  readonly document: Document
}

export interface Document {
  readonly root: unknown
  /** `$id` and `id` of the objects in it. */
  readonly ids: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** The documents that it may refer to, by the name of the reference. */
  readonly others: ReadonlyMap<string, Document>
}

export interface JsonText {
  readonly name: string
  readonly text: string
}

/** In characters, all referenced documents together. A registry may hold anything. */
const MAX_TEXT = 1_000_000

/** Throws DataError `CONVERTER_BAD_SCHEMA`. */
export function parseDocument(text: string, references: readonly JsonText[]): Document {
  const length = references.reduce((sum, file) => sum + file.text.length, text.length)
  if (length > MAX_TEXT)
    throw badSchema(`A JSON Schema cannot be read: it has ${length} characters, more than ${MAX_TEXT}`)
  const others = new Map<string, Document>()
  for (const { name, text: other } of references) others.set(name, documentOf(other, others))
  return documentOf(text, others)
}

function documentOf(text: string, others: ReadonlyMap<string, Document>): Document {
  let root: unknown
  try {
    root = parseJson(text)
  } catch (cause) {
    throw badSchema(`A JSON Schema cannot be read: ${(cause as Error).message}`, cause)
  }
  const ids = new Map<string, Readonly<Record<string, unknown>>>()
  collectIds(root, ids)
  return { root, ids, others }
}

function collectIds(value: unknown, into: Map<string, Readonly<Record<string, unknown>>>): void {
  if (typeof value !== 'object' || value === null) return
  if (isObject(value)) {
    for (const key of ['$id', 'id', '$anchor']) {
      const id = own(value, key)
      if (typeof id === 'string' && !into.has(id)) into.set(key === '$anchor' ? `#${id}` : id, value)
    }
  }
  for (const member of Object.values(value)) collectIds(member, into)
}

/** The node that a `$ref` names: `#/definitions/A`, `#id`, the `$id` of another object, or the name of a reference, with or without a pointer. */
export function resolve(node: Node, ref: string): Node {
  const { document } = node
  const known = document.ids.get(ref)
  if (known) return { raw: known, document }
  const hash = ref.indexOf('#')
  const [name, pointer] = hash < 0 ? [ref, ''] : [ref.slice(0, hash), ref.slice(hash + 1)]
  const target = name === '' ? document : otherDocument(document, name)
  const found = pointer === '' ? target?.root : target && follow(target, pointer)
  if (target === undefined || !isObject(found))
    throw badSchema(`A JSON Schema refers to ${ref.slice(0, 200)}, which is not there`)
  return { raw: found, document: target }
}

function otherDocument(document: Document, name: string): Document | undefined {
  const other = document.others.get(name)
  if (other) return other
  for (const candidate of document.others.values()) {
    if (isObject(candidate.root) && own(candidate.root, '$id') === name) return candidate
  }
  return isObject(document.root) && own(document.root, '$id') === name ? document : undefined
}

function follow(target: Document, pointer: string): unknown {
  if (!pointer.startsWith('/')) return target.ids.get(`#${pointer}`)
  let found = target.root
  for (const part of pointer.slice(1).split('/')) {
    const key = decode(part).replace(/~1/g, '/').replace(/~0/g, '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member that the object has itself: a property may be named `constructor`. */
export function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
