import type { PackedBytes } from '@tributary/connect-api'

/** Bytes of an item that the first guess of the buffer's size allows for. */
const ITEM_BYTES = 128

/** Gathers byte strings in one buffer. */
export class PackedWriter {
  readonly #bounds: Int32Array
  #bytes: Buffer
  #count = 0
  #end = 0

  /** `count`: how many items will be added. */
  constructor(count: number) {
    this.#bounds = new Int32Array(2 * count)
    this.#bytes = Buffer.allocUnsafe(ITEM_BYTES * count)
  }

  /** Adds a copy of the bytes. */
  add(item: Uint8Array | null): void {
    const at = 2 * this.#count++
    if (item === null) {
      this.#bounds[at] = -1
      return
    }
    const start = this.#end
    const end = start + item.length
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
    }
    this.#bytes.set(item, start)
    this.#bounds[at] = start
    this.#bounds[at + 1] = end
    this.#end = end
  }

  take(): PackedBytes {
    return { bytes: this.#bytes, bounds: this.#bounds }
  }
}
