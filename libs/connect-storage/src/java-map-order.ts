/**
 * Names in the order in which a java.util.HashMap that they were put into (sorted) hands them out: by bucket, and within a
 * bucket as they came. Connect finds an offset by the bytes of its key, made from such a map.
 */
export function javaMapOrder(names: readonly string[]): string[] {
  // 16 buckets at first, doubled when more than three quarters as many names are in (HashMap.DEFAULT_LOAD_FACTOR).
  let buckets = 16
  while (names.length > buckets * 0.75) buckets *= 2
  const bucket = (name: string): number => {
    const hash = javaHashCode(name)
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  return [...names].sort((a, b) => bucket(a) - bucket(b) || (a < b ? -1 : a > b ? 1 : 0))
}

/** java.lang.String.hashCode: over UTF-16 code units, as a signed 32-bit integer. */
function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}
