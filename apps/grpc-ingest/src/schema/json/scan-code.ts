import type { Field } from '../model/model.ts'
import { I32, I64, LEN, START_GROUP, VARINT, wireTypeOf } from '../wire/wire.ts'

/**
 * The source of the first half of a generated writer: one pass over the wire format that notes the position of each
 * value. Its variables, for a field with number n or a oneof o (`o0`, `o1`, …):
 *
 * - `p<n>` position of the last value (of its length prefix, or of the content of a group), -1 for none
 * - `q<n>` end of the content of a group
 * - `m<n>` ranges of the second and later occurrences of a message, which merge with the first one
 * - `l<n>` positions of the elements of a repeated field, null for none
 * - `c<o>` the member of oneof o that came last; its values are in `p<o>`, `q<o>`, `m<o>`
 */
export interface ScanCode {
  readonly declarations: string
  readonly loop: string
}

/** The suffix of the variables: the number of the field, or the name of its oneof in the source. */
export function slotOf(field: Field, oneofs: ReadonlyMap<string, string>): string {
  return field.oneof === null ? String(field.number) : oneofs.get(field.oneof)!
}

/** `closedTexts`: the names of the constants with the texts of closed enums. */
export function scanCode(
  fields: readonly Field[],
  oneofs: ReadonlyMap<string, string>,
  closedTexts: ReadonlyMap<Field, string>,
): ScanCode {
  const variables = new Set<string>()
  const cases: string[] = []
  for (const field of fields) {
    const slot = slotOf(field, oneofs)
    declare(variables, field, slot)
    cases.push(...casesOf(field, slot, closedTexts.get(field)))
  }
  return {
    declarations: variables.size === 0 ? '' : `let ${[...variables].join(', ')};`,
    loop: `
    for (;;) {
      while (s < e) {
        t = buf[s++];
        if (t > 127) {
          n = buf[s++];
          if (n < 128) t = (t & 127) | (n << 7);
          else { s = longTag(buf, s - 2, e); t = scan.tag; }
        }
        switch (t) {
          ${cases.join('\n          ')}
          default: s = skipUnknown(buf, s, e, t, depth);
        }
      }
      if (s !== e) throw truncated();
      if (more === null || i === more.length) break;
      s = more[i++];
      e = more[i++];
    }`,
  }
}

function declare(variables: Set<string>, field: Field, slot: string): void {
  if (field.repeated) {
    variables.add(`l${slot} = null`)
    return
  }
  variables.add(`p${slot} = -1`)
  if (field.oneof !== null) variables.add(`c${slot} = 0`)
  if (field.messageType) variables.add(`m${slot} = null`)
  if (field.type === 'group') variables.add(`q${slot} = -1`)
}

function casesOf(field: Field, slot: string, closed: string | undefined): string[] {
  const wireType = wireTypeOf(field.type)
  const one = `case ${field.number * 8 + wireType}: ${field.repeated ? repeatedCase(field, slot) : singleCase(field, slot, closed)} break;`
  const packable = field.repeated && wireType !== LEN && wireType !== START_GROUP
  if (!packable) return [one]
  const check =
    wireType === VARINT ? '' : `if ((s - chunkStart(buf, n)) % ${wireType === I64 ? 8 : 4} !== 0) throw truncated();`
  const checkVarints = wireType === VARINT ? 'checkVarints(buf, n, s);' : ''
  const packed = `case ${field.number * 8 + LEN}: n = s; s = skipChunk(buf, s, e); ${check}${checkVarints} l${slot} = addPosition(l${slot}, ~n); break;`
  return [one, packed]
}

function repeatedCase(field: Field, slot: string): string {
  if (field.type === 'group') {
    return `n = s; s = skipGroup(buf, s, e, ${field.number}, depth + 1); l${slot} = addRange(l${slot}, n, scan.groupEnd);`
  }
  return `l${slot} = addPosition(l${slot}, s); ${skipCode(wireTypeOf(field.type))}`
}

function singleCase(field: Field, slot: string, closed: string | undefined): string {
  if (field.messageType) return messageCase(field, slot)
  const member = field.oneof === null ? '' : `c${slot} = ${field.number}; `
  const note = `${member}p${slot} = s;`
  // An unknown number of a closed enum counts as not sent.
  const noted = closed === undefined ? note : `if (hasEnum(${closed}, varint32(buf, s))) { ${note} }`
  return `${noted} ${skipCode(wireTypeOf(field.type))}`
}

/** The first occurrence is noted and later ones are added to it, unless another member of the oneof came between. */
function messageCase(field: Field, slot: string): string {
  const isGroup = field.type === 'group'
  const skip = isGroup ? `s = skipGroup(buf, s, e, ${field.number}, depth + 1);` : skipCode(LEN)
  const again = field.oneof === null ? `p${slot} >= 0` : `c${slot} === ${field.number}`
  const range = isGroup ? 'n, scan.groupEnd' : 'chunkStart(buf, f), s'
  const first = [`p${slot} = ${isGroup ? 'n' : 'f'};`, isGroup ? `q${slot} = scan.groupEnd;` : '']
  if (field.oneof !== null) first.push(`c${slot} = ${field.number}; m${slot} = null;`)
  const start = isGroup ? 'n = s;' : 'f = s;'
  const more = `{ m${slot} = addRange(m${slot}, ${range}); }`
  return `${start} ${skip} if (${again}) ${more} else { ${first.join(' ')} }`
}

function skipCode(wireType: number): string {
  switch (wireType) {
    case VARINT:
      return 'if (buf[s] < 128) s++; else s = skipVarint(buf, s, e);'
    case LEN:
      return 'n = buf[s]; if (n < 128) s += n + 1; else s = skipChunk(buf, s, e);'
    case I32:
      return 's += 4;'
    case I64:
      return 's += 8;'
    default:
      throw new RangeError(`wire type ${wireType}`)
  }
}
