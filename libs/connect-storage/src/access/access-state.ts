import { accessKeyName, readAccessKey } from './access-records.ts'
import type { AccessKey } from '../types.ts'

/** The API keys that the records of the access topic add up to. */
export class AccessState {
  readonly #byName = new Map<string, AccessKey>()
  readonly #byId = new Map<string, AccessKey>()

  /** Throws Error for a record that is skipped. A key that was there under its name is gone then. */
  apply(recordKey: string, value: Uint8Array | null): void {
    const name = accessKeyName(recordKey)
    if (name === null) return
    // First, so that a record that cannot be read leaves no key behind that works until the next start.
    const before = this.#byName.get(name)
    this.#byName.delete(name)
    if (before) this.#byId.delete(before.id)
    if (value === null) return
    const key = readAccessKey(name, value)
    if (this.#byId.has(key.id)) throw new Error('another key has the id')
    this.#byName.set(name, key)
    this.#byId.set(key.id, key)
  }

  keys(): readonly AccessKey[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  key(name: string): AccessKey | null {
    return this.#byName.get(name) ?? null
  }

  keyOfId(id: string): AccessKey | null {
    return this.#byId.get(id) ?? null
  }
}
