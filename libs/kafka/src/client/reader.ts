const UUID_BYTES = 16
const EMPTY = Buffer.alloc(0)

/**
 * Reads the fields of an answer in Kafka's encoding (https://kafka.apache.org/protocol#protocol_types). `compact`: the
 * encoding of flexible versions (KIP-482). Throws RangeError for a field that does not end within the bytes.
 */
export class Reader {
  readonly buffer: Buffer
  position = 0

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  get remaining(): number {
    return this.buffer.length - this.position
  }

  skip(bytes: number): void {
    this.position = this.#end(bytes)
  }

  readInt8(): number {
    return this.buffer.readInt8(this.#step(1))
  }

  readInt16(): number {
    return this.buffer.readInt16BE(this.#step(2))
  }

  readInt32(): number {
    return this.buffer.readInt32BE(this.#step(4))
  }

  readUnsignedInt32(): number {
    return this.buffer.readUInt32BE(this.#step(4))
  }

  readInt64(): bigint {
    return this.buffer.readBigInt64BE(this.#step(8))
  }

  readBoolean(): boolean {
    return this.readInt8() !== 0
  }

  readUnsignedVarInt(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer.readUInt8(this.#step(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new RangeError('a varint is longer than 5 bytes')
  }

  /** A zigzag varint of a record (https://kafka.apache.org/documentation/#recordheader). */
  readVarInt(): number {
    const value = this.readUnsignedVarInt()
    return (value >>> 1) ^ -(value & 1)
  }

  readVarInt64(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer.readUInt8(this.#step(1))
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
    }
    throw new RangeError('a varlong is longer than 10 bytes')
  }

  readNullableString(compact = true): string | null {
    const length = compact ? this.readUnsignedVarInt() - 1 : this.readInt16()
    if (length < 0) return null
    const from = this.#step(length)
    return this.buffer.toString('utf8', from, from + length)
  }

  readString(compact = true): string {
    return this.readNullableString(compact) ?? ''
  }

  /** A view of the answer's bytes. */
  readBytes(): Buffer {
    const length = this.readUnsignedVarInt() - 1
    return length <= 0 ? EMPTY : this.#view(length)
  }

  /** The key, the value or a header of a record: a view of the answer's bytes. */
  readVarIntBytes(): Buffer | null {
    const length = this.readVarInt()
    return length < 0 ? null : this.#view(length)
  }

  readUuid(): string {
    const hex = this.#view(UUID_BYTES).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /** `tagged`: the entries are structures, which end in tagged fields. */
  readNullableArray<T>(read: () => T, compact = true, tagged = compact): T[] | null {
    const length = compact ? this.readUnsignedVarInt() - 1 : this.readInt32()
    if (length < 0) return null
    const values: T[] = []
    for (let i = 0; i < length; i++) {
      values.push(read())
      if (tagged) this.readTaggedFields()
    }
    return values
  }

  readArray<T>(read: () => T, compact = true, tagged = compact): T[] {
    return this.readNullableArray(read, compact, tagged) ?? []
  }

  /** Skips the tagged fields at the end of a structure: no request of this client needs one. */
  readTaggedFields(): void {
    const count = this.readUnsignedVarInt()
    for (let i = 0; i < count; i++) {
      this.readUnsignedVarInt()
      this.skip(this.readUnsignedVarInt())
    }
  }

  #view(length: number): Buffer {
    const from = this.#step(length)
    return this.buffer.subarray(from, from + length)
  }

  #step(bytes: number): number {
    const from = this.position
    this.position = this.#end(bytes)
    return from
  }

  #end(bytes: number): number {
    if (bytes > this.remaining) throw new RangeError(`a field of ${bytes} bytes has only ${this.remaining} left`)
    return this.position + bytes
  }
}
