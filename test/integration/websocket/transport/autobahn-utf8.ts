import { type AutobahnCase, textCase } from './autobahn-cases.ts'

/** Cases 6.5 to 6.23 of the Autobahn test suite: texts in hex by group, those with a `!` before them are not UTF-8. */
const INCOMPLETE = 'c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf'.split(' ')
const GROUPS: Readonly<Record<number, string>> = {
  5: '68656c6c6f24776f726c64 68656c6c6fc2a2776f726c64 68656c6c6fe282ac776f726c64 68656c6c6ff0a4ada2776f726c64 cebae1bdb9cf83cebcceb5', // prettier-ignore
  6: prefixesOf('cebae1bdb9cf83cebcceb5'),
  7: '00 c280 e0a080 f0908080',
  8: '!f888808080 !fc8480808080',
  9: '7f dfbf efbfbf f48fbfbf',
  10: '!f7bfbfbf !fbbfbfbfbf !fdbfbfbfbfbf',
  11: 'ed9fbf ee8080 efbfbd f48fbfbf !f4908080',
  12: `!80 !bf !80bf !80bf80 !80bf80bf !80bf80bf80 !80bf80bf80bf !${bytes(0x80, 0xbf, '')}`,
  13: `!${bytes(0xc0, 0xdf)} !${bytes(0xe0, 0xef)} !${bytes(0xf0, 0xf7)} !${bytes(0xf8, 0xfb)} !${bytes(0xfc, 0xfd)}`,
  14: INCOMPLETE.map((hex) => `!${hex}`).join(' '),
  15: `!${INCOMPLETE.join('')}`,
  16: '!fe !ff !fefeffff',
  17: '!c0af !e080af !f08080af !f8808080af !fc80808080af',
  18: '!c1bf !e09fbf !f08fbfbf !f887bfbfbf !fc83bfbfbfbf',
  19: '!c080 !e08080 !f0808080 !f880808080 !fc8080808080',
  20: '!eda080 !edadbf !edae80 !edafbf !edb080 !edbe80 !edbfbf',
  21: '!eda080edb080 !eda080edbfbf !edadbfedb080 !edadbfedbfbf !edae80edb080 !edae80edbfbf !edafbfedb080 !edafbfedbfbf',
  22: nonCharacters(),
  23: 'efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf',
}

export const utf8Cases: readonly AutobahnCase[] = Object.entries(GROUPS).flatMap(([group, texts]) =>
  texts.split(' ').map((text, i) => {
    const valid = !text.startsWith('!')
    return textCase(`6.${group}.${i + 1}`, Buffer.from(valid ? text : text.slice(1), 'hex'), valid)
  }),
)

/** A prefix that ends within a code point is not UTF-8. */
function prefixesOf(hex: string): string {
  const wholeAt = [2, 5, 7, 9, 11]
  const lengths = Array.from({ length: hex.length / 2 }, (_, i) => i + 1)
  return lengths.map((n) => (wholeAt.includes(n) ? '' : '!') + hex.slice(0, n * 2)).join(' ')
}

/** From the first to before the last, each with a space behind it. */
function bytes(from: number, to: number, behind = '20'): string {
  return Array.from({ length: to - from }, (_, i) => (from + i).toString(16) + behind).join('')
}

/** The code points that end in FFFE and FFFF, of every plane. */
function nonCharacters(): string {
  const found = ['efbfbe', 'efbfbf']
  for (let plane = 1; plane <= 16; plane++) {
    for (const last of [0xfffe, 0xffff]) {
      found.push(Buffer.from(String.fromCodePoint(plane * 0x10000 + last)).toString('hex'))
    }
  }
  return found.join(' ')
}
