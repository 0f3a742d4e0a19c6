/** Room for short fields. */
const ROOM_BYTES = 256
/** Bytes from this length on are sent from where they are. Shorter ones are copied, which costs less than a part of its own. */
const PART_BYTES = 4096
const UUID_BYTES = 16

/**
 * Writes the fields of a request in Kafka's encoding (https://kafka.apache.org/protocol#protocol_types). Compact fields
 * are those of flexible versions (KIP-482).
 */
export class Writer {
  readonly #parts: Uint8Array[] = []
  #partBytes = 0
  #room = Buffer.allocUnsafe(ROOM_BYTES)
  #from = 0
  #at = 0

  /** The bytes so far, in order. The writer must not be used afterwards. */
  parts(): readonly Uint8Array[] {
    this.#endPart()
    return this.#parts
  }

  get length(): number {
    return this.#partBytes + this.#at - this.#from
  }

  appendInt8(value: number): this {
    this.#at = this.#reserve(1).writeInt8(value, this.#at)
    return this
  }

  appendInt16(value: number): this {
    this.#at = this.#reserve(2).writeInt16BE(value, this.#at)
    return this
  }

  appendInt32(value: number): this {
    this.#at = this.#reserve(4).writeInt32BE(value, this.#at)
    return this
  }

  appendInt64(value: bigint): this {
    this.#at = this.#reserve(8).writeBigInt64BE(value, this.#at)
    return this
  }

  appendBoolean(value: boolean): this {
    return this.appendInt8(value ? 1 : 0)
  }

  /** `value` is at most 2^31 - 1. */
  appendUnsignedVarInt(value: number): this {
    const room = this.#reserve(5)
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) room[this.#at++] = (rest & 0x7f) | 0x80
    room[this.#at++] = rest
    return this
  }

  /** A string of a flexible version; null where the protocol allows it. */
  appendString(value: string | null): this {
    if (value === null) return this.appendUnsignedVarInt(0)
    const bytes = Buffer.byteLength(value)
    this.appendUnsignedVarInt(bytes + 1)
    return this.#utf8(value, bytes)
  }

  /** A string with a length of two bytes, as in headers and in versions that are not flexible. */
  appendShortString(value: string | null): this {
    if (value === null) return this.appendInt16(-1)
    const bytes = Buffer.byteLength(value)
    this.appendInt16(bytes)
    return this.#utf8(value, bytes)
  }

  /** Keeps a reference to long bytes: they must stay unchanged until the request is sent. */
  appendBytes(value: Uint8Array): this {
    this.appendUnsignedVarInt(value.length + 1)
    if (value.length < PART_BYTES) {
      this.#reserve(value.length).set(value, this.#at)
      this.#at += value.length
      return this
    }
    this.#endPart()
    this.#parts.push(value)
    this.#partBytes += value.length
    return this
  }

  /** The id as hexadecimal digits, with or without hyphens; null: zeros. Throws RangeError for anything else. */
  appendUuid(value: string | null): this {
    const room = this.#reserve(UUID_BYTES)
    if (value === null) room.fill(0, this.#at, this.#at + UUID_BYTES)
    else if (room.write(value.replaceAll('-', ''), this.#at, UUID_BYTES, 'hex') !== UUID_BYTES) {
      throw new RangeError(`"${value}" is not a UUID`)
    }
    this.#at += UUID_BYTES
    return this
  }

  /** A compact array. `tagged`: its entries are structures, which end in tagged fields; primitive entries do not. */
  appendArray<T>(values: readonly T[], append: (value: T) => void, tagged = true): this {
    this.appendUnsignedVarInt(values.length + 1)
    for (const value of values) {
      append(value)
      if (tagged) this.appendTaggedFields()
    }
    return this
  }

  /** The end of a structure of a flexible version. This client sends no tagged fields. */
  appendTaggedFields(): this {
    return this.appendUnsignedVarInt(0)
  }

  #utf8(value: string, bytes: number): this {
    const room = this.#reserve(bytes)
    this.#at += room.write(value, this.#at)
    return this
  }

  /** The buffer, with room for `bytes` more at `#at`. */
  #reserve(bytes: number): Buffer {
    if (this.#at + bytes > this.#room.length) this.#grow(bytes)
    return this.#room
  }

  /** A short part goes on in the new room, so that most requests are one buffer. */
  #grow(bytes: number): void {
    const before = this.#room.subarray(this.#from, this.#at)
    const goesOn = before.length <= ROOM_BYTES
    if (!goesOn) this.#endPart()
    const more = goesOn ? before.length + ROOM_BYTES : Math.min(2 * this.#room.length, PART_BYTES)
    this.#room = Buffer.allocUnsafe(bytes + more)
    this.#from = 0
    this.#at = goesOn ? before.copy(this.#room) : 0
  }

  #endPart(): void {
    if (this.#at === this.#from) return
    this.#parts.push(this.#room.subarray(this.#from, this.#at))
    this.#partBytes += this.#at - this.#from
    this.#from = this.#at
  }
}
