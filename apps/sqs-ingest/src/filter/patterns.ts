import { BlockList, isIP } from 'node:net'

export type Matcher = (text: string) => boolean

/**
 * A pattern with `*` for any characters, also none; `\*` and `\\` stand for themselves. The test takes time in proportion to the
 * text's length times the pattern's: no pattern goes back. Throws SyntaxError.
 */
export function wildcard(pattern: string): Matcher {
  const parts = ['']
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!
    if (char === '\\') {
      const escaped = pattern[++at]
      if (escaped !== '*' && escaped !== '\\') throw new SyntaxError(`has a \\ that is not followed by * or \\`)
      parts.push(parts.pop()! + escaped)
    } else if (char !== '*') parts.push(parts.pop()! + char)
    else if (pattern[at + 1] === '*') throw new SyntaxError('has two * side by side')
    else parts.push('')
  }
  if (parts.length === 1) return (text) => text === parts[0]
  const first = parts[0]!
  const last = parts.at(-1)!
  const between = parts.slice(1, -1)
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const part of between) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** `10.0.0.0/24`, `2001:db8::/32`. Text that is no IP address does not match. Throws SyntaxError. */
export function cidr(range: string): Matcher {
  const [address, bits, ...more] = range.split('/')
  if (bits === undefined || more.length > 0) throw new SyntaxError('must be an address, one / and the number of bits')
  const version = isIP(address!)
  if (version === 0 || address!.includes('%')) throw new SyntaxError(`has no IP address before the /`)
  const most = version === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) throw new SyntaxError(`must have 0 to ${most} bits after the /`)
  const list = new BlockList()
  const family = (v: number) => (v === 4 ? 'ipv4' : 'ipv6')
  list.addSubnet(address!, Number(bits), family(version))
  return (text) => {
    const textVersion = text.includes('%') ? 0 : isIP(text)
    return textVersion !== 0 && list.check(text, family(textVersion))
  }
}
