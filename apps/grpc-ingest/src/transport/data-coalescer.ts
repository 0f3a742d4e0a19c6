/** Length (3 bytes), type, flags, stream (4) (RFC 9113, section 4.1). */
const HEADER_BYTES = 9
/** The initial SETTINGS_MAX_FRAME_SIZE, which this client does not change. A larger frame would be an error. */
const MAX_PAYLOAD_BYTES = 16_384
const DATA = 0
const NONE = -1
/** Up to this size a loop moves bytes sooner than a call of `copyWithin`. */
const LOOP_BYTES = 256

/**
 * Joins neighbouring DATA frames of the bytes that a server sends. A gRPC server sends a frame for each message, and Node's HTTP/2
 * makes a call, a Buffer and a step of the stream of each frame, which costs more than all else about a small message.
 *
 * Frames of one stream without flags become one, of 16 KiB at most: the same payload in the same order, so flow control counts the
 * same bytes. All other frames stay as they are. No payload waits for more: only an incomplete header is held.
 */
export class DataCoalescer {
  /** The header at the end of the last chunk, which is not complete. */
  #header: Buffer | null = null
  /** Bytes of the last frame's payload that follow with the next chunk. */
  #rest = 0

  /** What HTTP/2 is to read for `chunk`: a view of its bytes, which are moved. None of them are needed later. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#header === null ? chunk : Buffer.concat([this.#header, chunk])
    const end = bytes.length
    let from = Math.min(this.#rest, end)
    this.#rest -= from
    let to = from
    // The DATA frame that can take up the next one: the place of its header, its stream, and its length.
    let open = NONE
    let stream = 0
    let length = 0
    while (end - from >= HEADER_BYTES) {
      const size = (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!
      const id = bytes.readUInt32BE(from + 5)
      const plain = bytes[from + 3] === DATA && bytes[from + 4] === 0
      let count = size
      if (plain && open !== NONE && id === stream && length + size <= MAX_PAYLOAD_BYTES) {
        length += size
        bytes[open] = length >> 16
        bytes[open + 1] = length >> 8
        bytes[open + 2] = length
        from += HEADER_BYTES
      } else {
        open = plain ? to : NONE
        stream = id
        length = size
        count += HEADER_BYTES
      }
      const here = Math.min(count, end - from)
      move(bytes, from, here, to)
      from += here
      to += here
      this.#rest = count - here
    }
    this.#header = from < end ? Buffer.from(bytes.subarray(from)) : null
    return bytes.subarray(0, to)
  }
}

/** Moves `count` bytes towards the start. */
function move(bytes: Buffer, from: number, count: number, to: number): void {
  if (from === to) return
  if (count > LOOP_BYTES) bytes.copyWithin(to, from, from + count)
  else for (let i = 0; i < count; i++) bytes[to + i] = bytes[from + i]!
}
