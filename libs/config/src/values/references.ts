/** One `${provider:path:key}` or `${provider:key}` in a text. */
export interface Reference {
  readonly provider: string
  /** Empty in the two-part form. */
  readonly path: string
  readonly key: string
}

/** Whether the text contains a reference `${provider:…}` to any provider. */
export function hasReferences(value: string): boolean {
  for (const part of splitReferences(value)) if (typeof part !== 'string') return true
  return false
}

/**
 * Splits a text into literal pieces and references, as Kafka's ConfigTransformer does with
 * `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`: a reference ends at the first `}`; the first colon ends the provider and a
 * second one the path; the key may contain further colons. Unlike that expression, this function takes linear time.
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
