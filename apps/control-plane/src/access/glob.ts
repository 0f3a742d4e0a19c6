/**
 * Whether `pattern` matches the whole `text`. `*` matches any characters, or none; `?` matches one character. Time is
 * at most proportional to the product of the lengths, because a client chooses the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let next = 0
  /** The position behind the last `*`, and the position in the text up to which that `*` has matched. */
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
