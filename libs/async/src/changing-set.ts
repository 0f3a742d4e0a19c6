/**
 * A set for members that come and go with each batch, in the order in which they came. `delete` looks at the older members first.
 *
 * A `Set` or `Map` that changes as often makes work for the collector: V8 gives it a new table after a few changes, and a replaced
 * table refers to the next one. Once one of them is in the old generation, all that follow get there too, with what was in them,
 * and only a full collection frees them.
 */
export class ChangingSet<T> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** Adds what is no member yet; the caller knows that. */
  add(member: T): void {
    this.#members.push(member)
  }

  /** Does nothing for what is no member. */
  delete(member: T): void {
    const at = this.#members.indexOf(member)
    if (at === 0) this.#members.shift()
    else if (at > 0) this.#members.splice(at, 1)
  }

  /** Removes all members. */
  clear(): void {
    this.#members.length = 0
  }

  /** The oldest member for which `wanted` is true. */
  find(wanted: (member: T) => boolean): T | undefined {
    return this.#members.find(wanted)
  }

  /** The members as they are now; later changes do not concern the iterator. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#members].values()
  }
}
