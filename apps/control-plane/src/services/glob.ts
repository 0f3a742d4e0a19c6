/**
 * Whether all of `text` fits `pattern`, in which `*` stands for any characters, none included, and `?` for one. In time
 * proportional to both lengths, whatever the pattern: it comes from a client.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let next = 0
  /** Behind the last `*`, and what of the text it has swallowed up to. */
  let star = -1
  let swallowed = 0
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = ++next
      swallowed = at
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next++
      at++
    } else if (star >= 0) {
      next = star
      at = ++swallowed
    } else {
      return false
    }
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}
