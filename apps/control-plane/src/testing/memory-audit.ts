import type { AuditEntry, AuditLog, AuditQuery } from '@tributary/connect-storage'

/** An audit log in memory. Offsets are the numbers of the entries. */
export class MemoryAuditLog implements AuditLog {
  trouble: string | null = null
  /** Rejects each append, if set. */
  fails: Error | null = null
  /** Holds each append until it is called, if set. */
  held: PromiseWithResolvers<void> | null = null
  readonly entries: AuditEntry[] = []

  async append(entry: AuditEntry): Promise<void> {
    await this.held?.promise
    if (this.fails) throw this.fails
    this.entries.push(entry)
  }

  read({ before, from, to, limit, matches }: AuditQuery): Promise<{ entries: AuditEntry[]; next: bigint | null }> {
    const end = before === null ? this.entries.length : Number(before)
    const all = this.entries
      .map((entry, offset) => ({ entry, offset }))
      .filter(({ entry, offset }) => {
        const inTime = (from === null || entry.time >= from) && (to === null || entry.time <= to)
        return offset < end && inTime && matches(entry)
      })
      .reverse()
    const found = all.slice(0, limit)
    const next = all.length > limit ? BigInt(found.at(-1)!.offset) : null
    return Promise.resolve({ entries: found.map(({ entry }) => entry), next })
  }
}
