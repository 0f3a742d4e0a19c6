import { type Converter, fits, javaClass, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'

/** The bytes of one type of number, big-endian, as Kafka's serializers write them. */
interface NumberForm {
  /** In Kafka's error texts. */
  readonly name: string
  readonly schema: Schema
  /** Java's class, the only one that is accepted. */
  readonly javaClass: string
  readonly size: number
  readonly write: (bytes: Buffer, value: number | bigint) => unknown
  readonly read: (bytes: Buffer) => number | bigint
}

/** The NumberConverters of org.apache.kafka.connect.converters. */
class NumberConverter implements Converter {
  readonly #form: NumberForm

  constructor(form: NumberForm) {
    this.#form = form
  }

  configure(): void {}

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    const { name, javaClass: wanted, size, write } = this.#form
    const found = javaClass(value, schema !== null && fits(schema, value) ? schema : null)
    if (found !== wanted) {
      throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(`Failed to serialize to ${name} (was ${found}): `)
    }
    const bytes = Buffer.allocUnsafe(size)
    write(bytes, value as number | bigint)
    return bytes
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    const { name, schema, size, read } = this.#form
    if (value === null) return { schema, value: null }
    if (value.length !== size) throw converterErrors.CONVERTER_BAD_BYTES(`Failed to deserialize ${name}: `)
    return { schema, value: read(Buffer.from(value.buffer, value.byteOffset, size)) }
  }
}

const form = (type: Schema['type'], javaName: string, rest: Omit<NumberForm, 'schema' | 'javaClass'>): NumberForm => {
  return { ...rest, schema: { type, optional: true }, javaClass: `class java.lang.${javaName}` }
}

const SHORT = form('int16', 'Short', {
  name: 'short',
  size: 2,
  write: (bytes, value) => bytes.writeInt16BE(value as number),
  read: (bytes) => bytes.readInt16BE(),
})
const INTEGER = form('int32', 'Integer', {
  name: 'integer',
  size: 4,
  write: (bytes, value) => bytes.writeInt32BE(value as number),
  read: (bytes) => bytes.readInt32BE(),
})
const LONG = form('int64', 'Long', {
  name: 'long',
  size: 8,
  write: (bytes, value) => bytes.writeBigInt64BE(BigInt(value)),
  read: (bytes) => bytes.readBigInt64BE(),
})
const FLOAT = form('float32', 'Float', {
  name: 'float',
  size: 4,
  write: (bytes, value) => bytes.writeFloatBE(value as number),
  read: (bytes) => bytes.readFloatBE(),
})
const DOUBLE = form('float64', 'Double', {
  name: 'double',
  size: 8,
  write: (bytes, value) => bytes.writeDoubleBE(value as number),
  read: (bytes) => bytes.readDoubleBE(),
})

export const NUMBER_CONVERTERS: Readonly<Record<string, () => Converter>> = {
  'org.apache.kafka.connect.converters.ShortConverter': () => new NumberConverter(SHORT),
  'org.apache.kafka.connect.converters.IntegerConverter': () => new NumberConverter(INTEGER),
  'org.apache.kafka.connect.converters.LongConverter': () => new NumberConverter(LONG),
  'org.apache.kafka.connect.converters.FloatConverter': () => new NumberConverter(FLOAT),
  'org.apache.kafka.connect.converters.DoubleConverter': () => new NumberConverter(DOUBLE),
}
