import type { Field, MessageType } from '@tributary/grpc-ingest/schema'
import type { Random } from '../../support/random.ts'

const VARINT = 0
const I64 = 1
const LEN = 2
const START_GROUP = 3
const END_GROUP = 4
const I32 = 5

const INTEGERS = [0n, 1n, 2n, 127n, 128n, 255n, 300n, 16384n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n]
const WIDE = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]
const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.5,
  1 / 3,
  100,
  1e8,
  1e-7,
  1e21,
  1e300,
  5e-324,
  1.7976931348623157e308,
  123456.789,
  101.25,
  NaN,
  Infinity,
  -Infinity,
  3.4028234663852886e38,
  1.401298464324817e-45,
  16777216,
  16777217,
  8589973000,
  9007199254740993,
]
const PATHS = ['foo_bar', 'user.display_name', 'a', '_lead', 'x_y_z.b2']
const WRONG_PATHS = ['a__b', 'mixedCase', 'x_1y', 'trail_']
const TEXTS = [
  '', 'a', 'price_update', '<a href="x">&\'=\'</a>', 'naïve café', '日本語', '😀 and 𝄞', '\u0000\u0001\t\n\r\b\f\u001f\u007f',
  '\u2028\u2029', '"quoted\\"', '/slash/', '\uffff\ufffd', 'x'.repeat(300), 'é'.repeat(200), '12', 'true',
] // prettier-ignore

export interface GenerateOptions {
  /** How many levels of messages may be nested below this message. */
  readonly depth: number
  /** Names of types that an Any may contain. */
  readonly anyTypes: readonly string[]
  /** Java finds no extensions inside an Any. */
  readonly inAny?: boolean
  /**
   * No value replaces an earlier one: a field that is not repeated occurs at most once, and a oneof has at most one
   * member.
   */
  readonly once?: boolean
  /** Leaves out what the reference prints wrong. */
  readonly without?: readonly Wrong[]
  /** Java also prints map entries that later ones replace, so a map must not contain a value without a JSON form. */
  readonly inMap?: boolean
  /** The message is an entry of a map. */
  readonly inEntry?: boolean
}

/**
 * `maskPath`: FieldMask paths that do not read back. `closedEnum`, `closedEnumInMap`: numbers that a closed enum does
 * not have. `unknownInEntry`: unknown fields in the entries of maps.
 */
export type Wrong = 'maskPath' | 'closedEnum' | 'closedEnumInMap' | 'unknownInEntry'

/**
 * Generates a well-formed message of a type with random fields. The message uses forms that an encoder may choose and
 * forms that only a decoder meets: fields out of order and more than once, packed and unpacked, over-long varints,
 * unknown fields, unknown enum numbers.
 */
export function generateMessage(type: MessageType, random: Random, options: GenerateOptions): Buffer {
  const special = wellKnown(type, random, options)
  if (special) return special
  // The message gets only a few of the fields: whole nested messages of such types would be megabytes.
  const oneofs = new Set<string>()
  const density = random.pick([0, 0.05, 0.1, options.depth === 0 ? 0.8 : 0.3])
  const parts: Buffer[] = []
  for (const field of type.fields) {
    if (field.extension && options.inAny === true) continue
    if (options.once === true && field.oneof !== null && oneofs.has(field.oneof)) continue
    if (type.mapEntry ? random.chance(0.1) : !random.chance(density)) continue
    const times = field.repeated ? random.pick([1, 1, 2, 3]) : random.pick([1, 1, 1, 1, options.once === true ? 1 : 2])
    if (field.oneof !== null) oneofs.add(field.oneof)
    for (let i = 0; i < times; i++) parts.push(generateField(field, random, options))
  }
  const plain = type.mapEntry && options.without?.includes('unknownInEntry') === true
  if (random.chance(0.1) && !plain) parts.push(unknownField(random))
  if (random.chance(0.2)) shuffle(parts, random)
  return Buffer.concat(parts)
}

function generateField(field: Field, random: Random, options: GenerateOptions): Buffer {
  const wireType = wireTypeOf(field)
  if (field.type === 'group') {
    return Buffer.concat([tag(field, START_GROUP), nested(field, random, options), tag(field, END_GROUP)])
  }
  if (field.type === 'message') return Buffer.concat([tag(field, LEN), chunk(nested(field, random, options))])
  if (field.repeated && wireType !== LEN && random.chance(field.packed ? 0.9 : 0.1)) {
    const values = Array.from({ length: random.int(6) }, () => scalar(field, random, options))
    return Buffer.concat([tag(field, LEN), chunk(Buffer.concat(values))])
  }
  return Buffer.concat([tag(field, wireType), scalar(field, random, options)])
}

function nested(field: Field, random: Random, options: GenerateOptions): Buffer {
  if (options.depth <= 0) return Buffer.alloc(0)
  const inMap = options.inMap === true || field.messageType!.mapEntry
  const inEntry = field.messageType!.mapEntry
  return generateMessage(field.messageType!, random, { ...options, depth: options.depth - 1, inMap, inEntry })
}

function wireTypeOf(field: Field): number {
  if (['double', 'fixed64', 'sfixed64'].includes(field.type)) return I64
  if (['float', 'fixed32', 'sfixed32'].includes(field.type)) return I32
  return ['string', 'bytes', 'message'].includes(field.type) ? LEN : VARINT
}

function scalar(field: Field, random: Random, { without, inEntry }: GenerateOptions): Buffer {
  const bytes = Buffer.alloc(8)
  switch (field.type) {
    case 'double':
      bytes.writeDoubleLE(random.chance(0.3) ? random.next() * 10 ** random.int(20) : number(random))
      return bytes
    case 'float':
      bytes.writeFloatLE(random.chance(0.3) ? random.next() * 10 ** random.int(10) : Math.fround(number(random)))
      return bytes.subarray(0, 4)
    case 'fixed64':
    case 'sfixed64':
      bytes.writeBigUInt64LE(BigInt.asUintN(64, integer(random)))
      return bytes
    case 'fixed32':
    case 'sfixed32':
      bytes.writeUInt32LE(Number(BigInt.asUintN(32, integer(random))))
      return bytes.subarray(0, 4)
    case 'string':
      return chunk(Buffer.from(text(random)))
    case 'bytes':
      return chunk(Buffer.from(Array.from({ length: random.int(20) }, () => random.int(256))))
    case 'enum': {
      const known = [...field.enumType!.nameOf.keys()]
      const wrong: Wrong = inEntry === true ? 'closedEnumInMap' : 'closedEnum'
      const onlyKnown = field.closed && without?.includes(wrong) === true
      return varint(BigInt(onlyKnown || random.chance(0.8) ? random.pick(known) : random.int(40) - 10), random)
    }
    case 'bool':
      return varint(random.pick([0n, 1n, 1n, 2n, 2n ** 40n, 2n ** 63n]), random)
    default:
      return varint(integer(random), random)
  }
}

function bits64(random: Random): bigint {
  return (BigInt(random.int(2 ** 32)) << 32n) | BigInt(random.int(2 ** 32))
}

function number(random: Random): number {
  return random.pick(FLOATS) * (random.chance(0.2) ? -1 : 1)
}

function integer(random: Random): bigint {
  const value = random.chance(0.2) ? bits64(random) : random.pick(random.chance(0.5) ? INTEGERS : WIDE)
  return random.chance(0.3) ? -value : value
}

function text(random: Random): string {
  return random.chance(0.5) ? random.pick(TEXTS) : `${random.pick(TEXTS)}${random.int(1000)}${random.pick(TEXTS)}`
}

export function varint(value: bigint, random?: Random): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  } while (rest > 0n)
  // An encoder may write more bytes than needed. protobuf-java reads the tenth byte as 1 whatever its value, so at most
  // nine are written.
  while (random !== undefined && bytes.length < 8 && random.chance(0.02)) bytes.push(0x80)
  bytes.push(bytes.pop()! & 0x7f)
  return Buffer.from(bytes)
}

export function chunk(content: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(content.length)), content])
}

function tag(field: Field, wireType: number): Buffer {
  return varint(BigInt(field.number * 8 + wireType))
}

function unknownField(random: Random): Buffer {
  const number = BigInt(random.pick([19, 58, 5000, 199]) * 8)
  switch (random.int(4)) {
    case 0:
      return Buffer.concat([varint(number), varint(bits64(random))])
    case 1:
      return Buffer.concat([varint(number + 1n), Buffer.alloc(8, 7)])
    case 2:
      return Buffer.concat([varint(number + 2n), chunk(Buffer.from('unknown'))])
    default:
      return Buffer.concat([varint(number + 3n), varint(8n), varint(1n), varint(number + 4n)])
  }
}

function shuffle<T>(items: T[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(i + 1)
    ;[items[i], items[j]] = [items[j]!, items[i]!]
  }
}

/** Types whose random content would rarely have a JSON form get content that mostly has one. */
function wellKnown(type: MessageType, random: Random, options: GenerateOptions): Buffer | null {
  const seconds = (n: bigint): Buffer => Buffer.concat([varint(8n), varint(n)])
  const nanos = (n: number): Buffer => Buffer.concat([varint(16n), varint(BigInt(n))])
  const fraction = (): number => random.pick([0, 500_000_000, 1_000_000, 1000, 1, 999_999_999, random.int(1e9)])
  switch (type.fullName) {
    case 'google.protobuf.Timestamp': {
      const at = random.pick([
        0n,
        1n,
        -1n,
        1_700_000_000n,
        -62_135_596_800n,
        253_402_300_799n,
        BigInt(random.int(2 ** 32)),
        options.inMap === true ? 2n : 2n ** 40n,
      ])
      return Buffer.concat([seconds(at), nanos(fraction())])
    }
    case 'google.protobuf.Duration': {
      const sign = random.pick([1, -1])
      const length = random.pick([0n, 1n, 90n, 315_576_000_000n, BigInt(random.int(2 ** 32))])
      return Buffer.concat([seconds(length * BigInt(sign)), nanos(fraction() * sign)])
    }
    case 'google.protobuf.Value':
      return options.inMap === true ? Buffer.concat([varint(26n), chunk(Buffer.from(text(random)))]) : null
    case 'google.protobuf.FieldMask': {
      const paths = Array.from({ length: random.int(4) }, () =>
        random.pick(options.without?.includes('maskPath') ? PATHS : [...PATHS, ...WRONG_PATHS]),
      )
      return Buffer.concat(paths.map((path) => Buffer.concat([varint(10n), chunk(Buffer.from(path))])))
    }
    case 'google.protobuf.Any': {
      if (random.chance(0.1)) return Buffer.alloc(0)
      const name = random.pick(options.anyTypes)
      if (options.inMap === true && !type.types.has(name)) return Buffer.alloc(0)
      const content = type.types.get(name)
      const value =
        content && options.depth > 0
          ? generateMessage(content, random, { ...options, depth: options.depth - 1, inAny: true })
          : Buffer.alloc(0)
      const url = Buffer.from(`type.googleapis.com/${name}`)
      return Buffer.concat([varint(10n), chunk(url), varint(18n), chunk(value)])
    }
    default:
      return null
  }
}
