import type { Span } from './secret-index.ts'

/** Another reading of a text: with its escapes replaced by what they mean. */
export interface View {
  readonly text: string
  /** What this is a reading of. */
  readonly of: string | View
  /** In order. Everything between them is as it was. */
  readonly escapes: readonly Escape[]
}

/** One escape: where it stands, and where its meaning stands in the view. */
interface Escape {
  readonly escape: Span
  readonly meaning: Span
}

/** An escape within an escape within an escape: JSON in a log line in JSON. Nothing nests deeper. */
const MAX_DEPTH = 3

const ESCAPES = /(?:%[0-9a-f]{2})+|\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|["'\\/bfnrt])/gi
const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** The readings of a text besides the text itself; none when nothing in it is escaped. */
export function viewsOf(text: string): View[] {
  const views: View[] = []
  let of: string | View = text
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const view = unescaped(of)
    if (view === null) break
    views.push(view)
    of = view
  }
  return views
}

/** A span of a view as a span of the text that it is a reading of in the end. */
export function inOriginal(view: View, [start, end]: Span): Span {
  const span: Span = [placeOf(view, start)[0], placeOf(view, end - 1)[1]]
  return typeof view.of === 'string' ? span : inOriginal(view.of, span)
}

/** Where a character of a view stands in what it is a reading of. */
function placeOf({ escapes }: View, at: number): Span {
  const last = escapes.findLast(({ meaning }) => meaning[0] <= at)
  if (last === undefined) return [at, at + 1]
  if (at < last.meaning[1]) return last.escape
  const moved = at - last.meaning[1] + last.escape[1]
  return [moved, moved + 1]
}

/** null: nothing is escaped. */
function unescaped(of: string | View): View | null {
  const from = typeof of === 'string' ? of : of.text
  if (!from.includes('%') && !from.includes('\\')) return null
  const escapes: Escape[] = []
  let text = ''
  let next = 0
  const add = (meaning: string, start: number, length: number): void => {
    text += from.slice(next, start)
    escapes.push({ escape: [start, start + length], meaning: [text.length, text.length + meaning.length] })
    text += meaning
    next = start + length
  }
  for (const { 0: escape, index } of from.matchAll(ESCAPES)) {
    if (!escape.startsWith('%')) add(character(escape), index, escape.length)
    else for (const { part, at, length } of percentDecoded(escape)) add(part, index + at, length)
  }
  return escapes.length === 0 ? null : { text: text + from.slice(next), of, escapes }
}

function character(escape: string): string {
  const kind = escape[1]!
  if (escape.length > 2) return String.fromCharCode(parseInt(escape.slice(2), 16))
  return SHORT[kind] ?? kind
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The characters of `%c3%b6…`, each with its place there. Bytes that are no UTF-8 become U+FFFD. */
function* percentDecoded(escape: string): Generator<{ part: string; at: number; length: number }> {
  const bytes = Buffer.from(escape.replaceAll('%', ''), 'hex')
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i]!
    const size = Math.min(lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4, bytes.length - i)
    yield { part: utf8.decode(bytes.subarray(i, i + size)), at: i * 3, length: size * 3 }
    i += size
  }
}
