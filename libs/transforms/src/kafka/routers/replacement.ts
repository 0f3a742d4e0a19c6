import type { Found, Pattern } from '@tributary/config'

/** Text, or the number of a group. */
type Part = string | number

/** A replacement that Java's Matcher refuses, in its words. */
export class ReplacementError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ReplacementError'
  }
}

/**
 * Reads a replacement of Java's Matcher: `$1` is a group, by as many digits as there are groups for; `${name}` a named one; a backslash
 * makes the next character stand for itself. Throws ReplacementError.
 */
export function parseReplacement(text: string, pattern: Pattern): Part[] {
  const parts: Part[] = []
  let literal = ''
  for (let at = 0; at < text.length;) {
    const char = text[at]!
    if (char === '\\') {
      if (at + 1 === text.length) throw new ReplacementError('character to be escaped is missing')
      literal += text[at + 1]
      at += 2
    } else if (char === '$') {
      const { group, next } = reference(text, at + 1, pattern)
      parts.push(literal, group)
      literal = ''
      at = next
    } else {
      literal += char
      at++
    }
  }
  parts.push(literal)
  return parts.filter((part) => part !== '')
}

/** The group that the reference from `at` on names, and where the text goes on. */
function reference(text: string, at: number, pattern: Pattern): { group: number; next: number } {
  if (at === text.length) throw new ReplacementError('Illegal group reference: group index is missing')
  if (text[at] === '{') return namedReference(text, at + 1, pattern)
  if (!/\d/.test(text[at]!)) throw new ReplacementError('Illegal group reference')
  let group = Number(text[at])
  let next = at + 1
  if (group > pattern.groupCount) throw new ReplacementError(`No group ${group}`)
  while (/^\d$/.test(text[next] ?? '') && group * 10 + Number(text[next]) <= pattern.groupCount) {
    group = group * 10 + Number(text[next])
    next++
  }
  return { group, next }
}

function namedReference(text: string, at: number, pattern: Pattern): { group: number; next: number } {
  const name = /^[a-zA-Z0-9]*/.exec(text.slice(at))![0]
  if (name === '') throw new ReplacementError("named capturing group is missing trailing '}'")
  if (text[at + name.length] !== '}') throw new ReplacementError("named capturing group is missing trailing '}'")
  if (/^\d/.test(name)) throw new ReplacementError(`capturing group name {${name}} starts with digit character`)
  if (!Object.hasOwn(pattern.groupNames, name)) throw new ReplacementError(`No group with name {${name}}`)
  return { group: pattern.groupNames[name]!, next: at + name.length + 1 }
}

/** The text with the part that was found replaced. */
export function replaceFound(text: string, found: Found, parts: readonly Part[]): string {
  let replaced = text.slice(0, found.start)
  for (const part of parts) replaced += typeof part === 'string' ? part : (found.groups[part] ?? '')
  return replaced + text.slice(found.end)
}
