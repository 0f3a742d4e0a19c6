import type { FieldType } from '../model/model.ts'

/**
 * Writes the wire format into a growing list of parts. It writes one request for each call, so it is simple rather than
 * fast.
 */
export class WireWriter {
  readonly #bytes: number[] = []
  readonly #parts: Uint8Array[] = []

  finish(): Buffer {
    this.#flush()
    return Buffer.concat(this.#parts)
  }

  tag(number: number, wireType: number): this {
    return this.varint(BigInt(number * 8 + wireType))
  }

  /** A varint of 64 bits. Negative values are in two's complement. */
  varint(value: bigint): this {
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#bytes.push(Number(rest))
    return this
  }

  fixed(value: bigint, byteLength: 4 | 8): this {
    let rest = BigInt.asUintN(64, value)
    for (let i = 0; i < byteLength; i++, rest >>= 8n) this.#bytes.push(Number(rest & 0xffn))
    return this
  }

  float(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer))
  }

  double(value: number): this {
    return this.raw(new Uint8Array(Float64Array.of(value).buffer))
  }

  /** A length and the content. */
  chunk(content: Uint8Array): this {
    return this.varint(BigInt(content.length)).raw(content)
  }

  raw(content: Uint8Array): this {
    this.#flush()
    this.#parts.push(content)
    return this
  }

  #flush(): void {
    if (this.#bytes.length === 0) return
    this.#parts.push(Uint8Array.from(this.#bytes))
    this.#bytes.length = 0
  }
}

/** A value of a scalar or enum field: bigint for integers and enums, else number, boolean, string or bytes. */
export type ScalarValue = bigint | number | boolean | string | Uint8Array

/** Writes one value without its tag. The JavaScript type must match the type of the field; the range is not checked. */
export function writeScalar(out: WireWriter, type: FieldType, value: ScalarValue): void {
  switch (type) {
    case 'double':
      out.double(value as number)
      return
    case 'float':
      out.float(value as number)
      return
    case 'bool':
      out.varint(value === true ? 1n : 0n)
      return
    case 'string':
      out.chunk(Buffer.from(value as string, 'utf8'))
      return
    case 'bytes':
      out.chunk(value as Uint8Array)
      return
    case 'sint32':
    case 'sint64':
      out.varint(zigZag(value as bigint))
      return
    case 'fixed32':
    case 'sfixed32':
      out.fixed(value as bigint, 4)
      return
    case 'fixed64':
    case 'sfixed64':
      out.fixed(value as bigint, 8)
      return
    default:
      out.varint(value as bigint)
  }
}

function zigZag(value: bigint): bigint {
  return value >= 0n ? value * 2n : -value * 2n - 1n
}
