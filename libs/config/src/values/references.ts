/** One `${provider:path:key}` or `${provider:key}` in a text. */
export interface Reference {
  readonly provider: string
  /** Empty in the two-part form. */
  readonly path: string
  readonly key: string
}

/** Does the text hold a `${provider:…}` of any provider? */
export function hasReferences(value: string): boolean {
  for (const part of splitReferences(value)) if (typeof part !== 'string') return true
  return false
}

/**
 * Parts a text into literal pieces and references, as Kafka's ConfigTransformer does by
 * `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`: a reference ends at the first `}`, the first colon ends the provider, a second
 * one the path, and the key may hold further ones. Linear, which that expression is not.
 */
export function* splitReferences(text: string): Generator<string | (Reference & { readonly source: string })> {
  let literal = 0
  for (let open = text.indexOf('${'); open >= 0;) {
    const close = text.indexOf('}', open)
    if (close < 0) break
    const reference = parseReference(text.slice(open + 2, close))
    if (reference) {
      if (open > literal) yield text.slice(literal, open)
      yield { ...reference, source: text.slice(open, close + 1) }
      literal = close + 1
    }
    open = text.indexOf('${', close + 1)
  }
  if (literal < text.length) yield text.slice(literal)
}

function parseReference(body: string): Reference | null {
  const first = body.indexOf(':')
  if (first < 0) return null
  const provider = body.slice(0, first)
  const second = body.indexOf(':', first + 1)
  if (second < 0) return { provider, path: '', key: body.slice(first + 1) }
  return { provider, path: body.slice(first + 1, second), key: body.slice(second + 1) }
}
