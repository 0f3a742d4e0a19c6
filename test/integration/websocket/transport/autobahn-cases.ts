import { closeFrame, fragments, frame, type FrameOptions, OPCODE } from './raw-frames.ts'

/**
 * The cases of the Autobahn test suite's fuzzing server that concern a client, by their numbers there: what the server
 * sends, and what must happen. https://github.com/crossbario/autobahn-testsuite, autobahntestsuite/case. Cases 9 and
 * from 12 on are in files of their own.
 */
export interface AutobahnCase {
  readonly id: string
  /** What the server sends. Each element is a write of its own. */
  readonly sent: readonly Buffer[]
  /** Bytes of a write. By default each element of `sent` is one write. */
  readonly chop?: number
  /** What the client must deliver. */
  readonly messages?: readonly Buffer[]
  readonly pongs?: readonly string[]
  /** The client's close frame must have one of these codes. Default: 1000, the answer to the server's own close. */
  readonly close?: readonly number[]
}

const { text, binary, continuation, close, ping, pong } = OPCODE
const PROTOCOL_ERROR = [1002]
const BAD_PAYLOAD = [1007]
const NORMAL_CLOSE = closeFrame(1000)
const HELLO = 'Hello, world!'
const NOT_TEXT = Buffer.from('00fffefdfcfb00ff', 'hex')

/** A case without an error: the server closes when it has sent everything. */
function legal(id: string, sent: readonly Buffer[], expected: Omit<AutobahnCase, 'id' | 'sent'>): AutobahnCase {
  return { id, sent: [...sent, NORMAL_CLOSE], ...expected }
}

function illegal(id: string, sent: readonly Buffer[], before: readonly string[] = [], chop?: number): AutobahnCase {
  const messages = before.map((message) => Buffer.from(message))
  return { id, sent, messages, close: PROTOCOL_ERROR, ...(chop === undefined ? {} : { chop }) }
}

/** The suite's `sendMessage`: the message in one frame. */
function messageCase(id: string, opcode: number, message: string | Buffer, chop?: number): AutobahnCase {
  const expected = { messages: [Buffer.from(message)], ...(chop === undefined ? {} : { chop }) }
  return legal(id, [frame(opcode, message)], expected)
}

const framing: AutobahnCase[] = [text, binary].flatMap((opcode, i) => {
  const byte = opcode === text ? '*' : Buffer.from([0xfe])
  const sizes = [0, 125, 126, 127, 128, 65_535, 65_536]
  const whole = sizes.map((size, n) => messageCase(`1.${i + 1}.${n + 1}`, opcode, Buffer.alloc(size, byte)))
  return [...whole, messageCase(`1.${i + 1}.8`, opcode, Buffer.alloc(65_536, byte), 997)]
})

const tenPings = Array.from({ length: 10 }, (_, i) => `payload-${i}`)
const pingCase = (id: string, payload: string | Buffer, chop?: number): AutobahnCase =>
  legal(id, [frame(ping, payload)], { pongs: [Buffer.from(payload).toString('latin1')], ...(chop ? { chop } : {}) })

const pings: AutobahnCase[] = [
  pingCase('2.1', ''),
  pingCase('2.2', HELLO),
  pingCase('2.3', NOT_TEXT),
  pingCase('2.4', Buffer.alloc(125, 0xfe)),
  illegal('2.5', [frame(ping, Buffer.alloc(126, 0xfe))]),
  pingCase('2.6', Buffer.alloc(125, 0xfe), 1),
  legal('2.7', [frame(pong)], {}),
  legal('2.8', [frame(pong, 'unsolicited pong payload')], {}),
  legal('2.9', [frame(pong, 'unsolicited pong payload'), frame(ping, 'ping payload')], { pongs: ['ping payload'] }),
  legal('2.10', [Buffer.concat(tenPings.map((payload) => frame(ping, payload)))], { pongs: tenPings }),
  legal('2.11', [Buffer.concat(tenPings.map((payload) => frame(ping, payload)))], { pongs: tenPings, chop: 1 }),
]

/** A valid message, an invalid frame, and a ping that must get no pong. */
const afterHello = (id: string, bad: Buffer, how: 'one chop' | 'frames' | 'octets'): AutobahnCase => {
  const sent = [frame(text, HELLO), bad, frame(ping)]
  if (how === 'frames') return illegal(id, sent, [HELLO])
  return illegal(id, [Buffer.concat(sent)], [HELLO], how === 'octets' ? 1 : undefined)
}

const reserved: AutobahnCase[] = [
  illegal('3.1', [frame(text, HELLO, { rsv: 1 })]),
  afterHello('3.2', frame(text, HELLO, { rsv: 2 }), 'one chop'),
  afterHello('3.3', frame(text, HELLO, { rsv: 3 }), 'frames'),
  afterHello('3.4', frame(text, HELLO, { rsv: 4 }), 'octets'),
  illegal('3.5', [frame(binary, NOT_TEXT, { rsv: 5 })]),
  illegal('3.6', [frame(ping, HELLO, { rsv: 6 })]),
  illegal('3.7', [frame(close, '', { rsv: 7 })]),
]

const opcodes: AutobahnCase[] = [
  { group: '4.1', first: 3 },
  { group: '4.2', first: 11 },
].flatMap(({ group, first }) => [
  illegal(`${group}.1`, [frame(first)]),
  illegal(`${group}.2`, [frame(first + 1, 'reserved opcode payload')]),
  afterHello(`${group}.3`, frame(first + 2), 'one chop'),
  afterHello(`${group}.4`, frame(first + 3, HELLO), 'one chop'),
  afterHello(`${group}.5`, frame(first + 4, HELLO), 'octets'),
])

const part = (opcode: number, n: number, options: FrameOptions = {}): Buffer => frame(opcode, `fragment${n}`, options)
const OPEN = { fin: false }
const twoParts = [part(text, 1, OPEN), part(continuation, 2)]
const pinged = [part(text, 1, OPEN), frame(ping, 'ping payload'), part(continuation, 2)]
const joined = { messages: [Buffer.from('fragment1fragment2')] }
const joinedAndPinged = { ...joined, pongs: ['ping payload'] }
const nothingToContinue = (fin: boolean): Buffer[] => [
  frame(continuation, 'non-continuation payload', { fin }),
  frame(text, HELLO),
]
const fiveParts = [
  part(text, 1, OPEN),
  part(continuation, 2, OPEN),
  frame(ping, 'pongme 1!'),
  part(continuation, 3, OPEN),
  part(continuation, 4, OPEN),
  frame(ping, 'pongme 2!'),
  part(continuation, 5),
]
const fiveJoined = {
  messages: [Buffer.from('fragment1fragment2fragment3fragment4fragment5')],
  pongs: ['pongme 1!', 'pongme 2!'],
}
const twice = (fin: boolean): Buffer[] => {
  const once = [part(continuation, 1, { fin }), part(text, 2, OPEN), part(continuation, 3)]
  return [...once, ...once]
}
const together = (frames: readonly Buffer[]): Buffer[] => [Buffer.concat(frames)]

const fragmentation: AutobahnCase[] = [
  illegal('5.1', [part(ping, 1, OPEN), part(continuation, 2)]),
  illegal('5.2', [part(pong, 1, OPEN), part(continuation, 2)]),
  legal('5.3', together(twoParts), joined),
  legal('5.4', twoParts, joined),
  legal('5.5', twoParts, { ...joined, chop: 1 }),
  legal('5.6', together(pinged), joinedAndPinged),
  legal('5.7', pinged, joinedAndPinged),
  legal('5.8', pinged, { ...joinedAndPinged, chop: 1 }),
  illegal('5.9', together(nothingToContinue(true))),
  illegal('5.10', nothingToContinue(true)),
  illegal('5.11', nothingToContinue(true), [], 1),
  illegal('5.12', together(nothingToContinue(false))),
  illegal('5.13', nothingToContinue(false)),
  illegal('5.14', nothingToContinue(false), [], 1),
  illegal('5.15', together([...twoParts, part(continuation, 3, OPEN), part(text, 4)]), ['fragment1fragment2']),
  illegal('5.16', together(twice(false))),
  illegal('5.17', together(twice(true))),
  illegal('5.18', together([part(text, 1, OPEN), part(text, 2)])),
  legal('5.19', [Buffer.concat(fiveParts.slice(0, 3)), Buffer.concat(fiveParts.slice(3))], fiveJoined),
  legal('5.20', fiveParts, fiveJoined),
]

const KOSME = 'κόσμε'
const BAD_TEXT = Buffer.concat([Buffer.from(KOSME), Buffer.from('eda080', 'hex'), Buffer.from('edited')])

const afterClose: AutobahnCase[] = [
  legal('7.1.1', [frame(text, 'Hello World!')], { messages: [Buffer.from('Hello World!')] }),
  legal('7.1.2', [NORMAL_CLOSE, frame(close)], {}),
  legal('7.1.3', [NORMAL_CLOSE, frame(ping)], { pongs: [] }),
  legal('7.1.4', [NORMAL_CLOSE, frame(text, 'Hello World!')], { messages: [] }),
  legal('7.1.5', [part(text, 1, OPEN), NORMAL_CLOSE, part(continuation, 2)], { messages: [] }),
  legal('7.1.6', [frame(text, 'BAsd7&jh23'.repeat(26_214)), frame(text, 'Hello World!'), NORMAL_CLOSE, frame(ping)], {
    messages: [Buffer.from('BAsd7&jh23'.repeat(26_214)), Buffer.from('Hello World!')],
  }),
]

const closing = (id: string, sent: Buffer, codes: readonly number[]): AutobahnCase => ({
  id,
  sent: [sent],
  close: codes,
})
const closes: AutobahnCase[] = [
  closing('7.3.1', closeFrame(), [1005, 1000]),
  closing('7.3.2', closeFrame(undefined, 'a'), PROTOCOL_ERROR),
  closing('7.3.3', closeFrame(1000), [1000]),
  closing('7.3.4', closeFrame(1000, 'Hello World!'), [1000]),
  closing('7.3.5', closeFrame(1000, '*'.repeat(123)), [1000]),
  closing('7.3.6', closeFrame(1000, '*'.repeat(124)), PROTOCOL_ERROR),
  closing('7.5.1', closeFrame(1000, BAD_TEXT), [1002, 1007]),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code, i) =>
    closing(`7.7.${i + 1}`, closeFrame(code), [1000, code]),
  ),
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].map((code, i) =>
    closing(`7.9.${i + 1}`, closeFrame(code), PROTOCOL_ERROR),
  ),
  // The specification leaves the outcome open. This client reports a protocol error.
  closing('7.13.1', closeFrame(5000), PROTOCOL_ERROR),
  closing('7.13.2', closeFrame(65_535), PROTOCOL_ERROR),
]

const badText = (id: string, sent: readonly Buffer[]): AutobahnCase => ({ id, sent, messages: [], close: BAD_PAYLOAD })
const OUT_OF_RANGE = [Buffer.from(KOSME), Buffer.from('f4908080', 'hex'), Buffer.from('edited')]
const outOfRange = Buffer.concat(OUT_OF_RANGE)
const chops = (bytes: Buffer, ...lengths: number[]): Buffer[] =>
  [0, ...lengths].map((at, i) => bytes.subarray(at, [...lengths, bytes.length][i]))
const threeFrames = (parts: readonly Buffer[]): Buffer[] =>
  parts.map((bytes, i) => frame(i === 0 ? text : continuation, bytes, { fin: i === 2 }))
/** The header of one text frame comes with the first chop. */
const threeChops = (parts: readonly Buffer[]): Buffer[] => chops(frame(text, Buffer.concat(parts)), 2 + parts[0]!.length, 2 + parts[0]!.length + parts[1]!.length) // prettier-ignore
const MIXED = 'Hello-µ@ßöäüàá-UTF-8!!'
const inPairs = [MIXED, MIXED].map((message) => Buffer.from(message))

const utf8Handling: AutobahnCase[] = [
  messageCase('6.1.1', text, ''),
  legal('6.1.2', threeFrames([Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)]), { messages: [Buffer.alloc(0)] }),
  legal('6.1.3', threeFrames([Buffer.alloc(0), Buffer.from('middle frame payload'), Buffer.alloc(0)]), {
    messages: [Buffer.from('middle frame payload')],
  }),
  messageCase('6.2.1', text, `${MIXED}`),
  legal('6.2.2', [frame(text, inPairs[0], { fin: false }), frame(continuation, inPairs[1])], {
    messages: [Buffer.concat(inPairs)],
  }),
  legal('6.2.3', fragments(text, MIXED, 1), { messages: [Buffer.from(MIXED)] }),
  legal('6.2.4', fragments(text, KOSME, 1), { messages: [Buffer.from(KOSME)] }),
  badText('6.3.1', [frame(text, BAD_TEXT)]),
  badText('6.3.2', fragments(text, BAD_TEXT, 1)),
  // The suite prefers that the message ends the connection before it is complete.
  badText('6.4.1', threeFrames(OUT_OF_RANGE)),
  badText('6.4.2', threeFrames(chops(outOfRange, 12, 13))),
  badText('6.4.3', threeChops(OUT_OF_RANGE)),
  badText('6.4.4', threeChops(chops(outOfRange, 12, 13))),
]

const autoFragmented = legal('10.1.1', fragments(text, '*'.repeat(65_536), 1300), {
  messages: [Buffer.alloc(65_536, '*')],
})

/** Cases 1 to 7 without 6.5 and above, and case 10. */
export const protocolCases: readonly AutobahnCase[] = [
  ...[framing, pings, reserved, opcodes, fragmentation, utf8Handling, afterClose, closes].flat(),
  autoFragmented,
]

/** A text message of a case, and whether it is UTF-8. */
export function textCase(id: string, payload: Buffer, valid: boolean): AutobahnCase {
  return valid ? messageCase(id, text, payload) : badText(id, [frame(text, payload)])
}

/** A message of a case 9, of `bytes` bytes. */
export function sizedCase(
  id: string,
  opcode: number,
  bytes: number,
  how: { fragment?: number; chop?: number },
): AutobahnCase {
  // prettier-ignore
  const message = Buffer.alloc(bytes, 'BAsd7&jh23')
  const sent = how.fragment === undefined ? [frame(opcode, message)] : [Buffer.concat(fragments(opcode, message, how.fragment))] // prettier-ignore
  return legal(id, sent, { messages: [message], ...(how.chop === undefined ? {} : { chop: how.chop }) })
}

/** Cases 6.5 to 6.23 of the Autobahn test suite: texts in hex by group. A text with a `!` before it is not UTF-8. */
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

/** The code points from the first to the one before the last, each with a space behind it. */
function bytes(from: number, to: number, behind = '20'): string {
  return Array.from({ length: to - from }, (_, i) => (from + i).toString(16) + behind).join('')
}

/** The code points of every plane that end in FFFE and FFFF. */
function nonCharacters(): string {
  const found = ['efbfbe', 'efbfbf']
  for (let plane = 1; plane <= 16; plane++) {
    for (const last of [0xfffe, 0xffff]) {
      found.push(Buffer.from(String.fromCodePoint(plane * 0x10000 + last)).toString('hex'))
    }
  }
  return found.join(' ')
}
