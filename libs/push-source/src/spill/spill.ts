import type { Polled } from '@tributary/connect-api'
import { abortable } from '@tributary/async'
import { Deliveries, type Taken } from './deliveries.ts'
import { entryBytes } from './entry.ts'
import { SpillFolder } from './spill-folder.ts'
import type { SpillPosition } from './position-file.ts'
import { segmentBytesFor, SpillLog } from './spill-log.ts'
import type { SpillParts } from './spill-parts.ts'
import { SpillReporter } from './spill-reporter.ts'
import { pushSourceErrors } from '../errors.ts'

const MIB = 1024 * 1024
/** Most bytes of one write, roughly: encoding them blocks the event loop. */
const WRITE_BYTES = 4 * MIB
/**
 * With this many unread bytes on disk, every burst is written at once. With fewer, new messages wait in memory while the log is
 * read to its end. Otherwise, under load, every message would take the way over the disk for ever.
 */
const BACKLOG_BYTES = MIB
/** ms from an error of the disk to the next try. */
const RETRY_MS = 5000
/** ms between two tries while another owner holds the folder, or while the disk bound is reached. */
const AGAIN_MS = 1000
/** ms from a write to its fdatasync, which also covers the writes in between. */
const SYNC_MS = 1000

/**
 * The older part of an intake's queue, on disk. When the memory queue is half full, or the disk holds a backlog, the front of the
 * memory queue is appended to the log. A message leaves memory only once it is written, so an error of the disk loses nothing: the
 * memory queue fills, and the connection is paused. One write takes all messages that arrived in a turn of the event loop or
 * during the last write.
 */
export class Spill<T> {
  readonly #parts: SpillParts<T>
  readonly #report: SpillReporter
  readonly #deliveries = new Deliveries<T>()
  #folder: SpillFolder | null = null
  #opening: Promise<SpillFolder | null> | null = null
  /** Set by the first `take`. Before, the predecessor may still use the folder, so this run leaves it alone. */
  #active = false
  /** The folder was checked for messages of an earlier run. */
  #leftBehindFound = false
  #scheduled = false
  #writing: Promise<void> | null = null
  /** Why nothing can be written: the disk failed, or the disk bound is reached. null: writing works. */
  #blocked: 'failed' | 'full' | null = null
  #retryAt = 0
  #retryTimer: NodeJS.Timeout | null = null
  #syncTimer: NodeJS.Timeout | null = null
  /** The messages of the last `take`, until `handedOut` names their records. */
  #taken: Taken<T> | null = null
  /** The next `take` releases the log up to here: the messages before made no records, or are delivered. */
  #unneeded: SpillPosition | null = null
  #releasing: Promise<void> = Promise.resolve()
  /** The log could not be released up to here. */
  #unreleased: SpillPosition | null = null
  #releaseTimer: NodeJS.Timeout | null = null
  #closed: Promise<void> | null = null

  constructor(parts: SpillParts<T>) {
    this.#parts = parts
    this.#report = new SpillReporter(parts)
    parts.stats.spillMaxBytes = parts.maxBytes
  }

  /** Whether the disk holds messages that no `take` has returned. */
  get backlog(): boolean {
    return (this.#folder?.log.unread ?? 0) > 0
  }

  /** Whether `close` is expected to keep on disk the messages that are in memory. */
  get keeps(): boolean {
    return this.#active && this.#blocked === null
  }

  /** Messages were added to the queue. */
  pushed(): void {
    if (!this.#scheduled && this.#writing === null && this.#due()) this.#schedule()
  }

  /** The next messages from disk, at most `max`; null if the next message is in memory. Waits for a write in progress. */
  async take(max: number, signal: AbortSignal): Promise<T[] | null> {
    this.#active = true
    this.#taken = null
    if (this.#unneeded !== null) await this.#release(this.#unneeded)
    this.#unneeded = null
    if (!this.#leftBehindFound) await this.#findLeftBehind()
    for (;;) {
      if (this.#folder && this.backlog) {
        const payloads = await this.#read(this.#folder.log, max)
        if (payloads.length === 0) continue
        this.#taken = { position: this.#folder.log.readPosition, messages: null }
        this.#parts.memory.polled(payloads.length, sizeOf(payloads))
        return payloads.map((payload) => this.#parts.codec.decode(payload))
      }
      if (this.#writing === null) return null
      await abortable(this.#writing, signal)
    }
  }

  /** The messages that the caller took from memory after `take` returned null. */
  takenFromMemory(messages: readonly T[]): void {
    if (messages.length > 0) this.#taken = { position: null, messages }
  }

  /** The records that the messages of the last `take` became, perhaps none. */
  handedOut(polled: readonly Polled[]): void {
    if (this.#taken !== null) this.#unneeded = this.#deliveries.handedOut(polled, this.#taken)
    this.#taken = null
  }

  /** Kafka has acknowledged the records of one `handedOut`. */
  delivered(polled: readonly Polled[]): void {
    this.#deliveries.delivered(polled)
  }

  /** The offsets of the delivered records are committed: deletes their messages from disk. */
  async committed(): Promise<void> {
    const position = this.#deliveries.take()
    if (position !== null) await this.#release(position)
  }

  /** Writes the undelivered messages to disk and releases the folder. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #due(): boolean {
    const { queue, memory } = this.#parts
    if (!this.#active || this.#closed !== null || this.#blocked !== null || queue.size === 0) return false
    if (queue.size * 2 >= queue.maxRecords || queue.bytes * 2 >= queue.maxBytes || memory.pressed) return true
    return this.#folder !== null && this.#folder.log.unread >= BACKLOG_BYTES
  }

  /** Writes after the callbacks of this turn, so that one write takes the whole burst. */
  #schedule(): void {
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#writing === null && this.#due()) void this.#startWriting(() => this.#due())
    })
  }

  /** Never rejects. */
  #startWriting(due: () => boolean): Promise<void> {
    const writing = this.#writeWhile(due).finally(() => {
      this.#writing = null
    })
    this.#writing = writing
    return writing
  }

  async #writeWhile(due: () => boolean): Promise<void> {
    try {
      const folder = await this.#opened()
      if (folder === null) return this.#block('failed', AGAIN_MS)
      while (due()) {
        if (await this.#writeOnce(folder.log)) continue
        this.#report.full()
        return this.#block('full', AGAIN_MS)
      }
    } catch (error) {
      this.#report.failed('write', error, 'pause')
      this.#block('failed', RETRY_MS)
    }
  }

  /** Returns false if the disk bound leaves no room. */
  async #writeOnce(log: SpillLog): Promise<boolean> {
    const { queue, memory, codec, stats, maxBytes } = this.#parts
    let room = maxBytes - log.bytes
    const payloads: Uint8Array[] = []
    for (const message of queue.peek(Math.min(WRITE_BYTES, room))) {
      const payload = codec.encode(message)
      room -= entryBytes(payload.length)
      if (room < 0) break
      payloads.push(payload)
    }
    if (payloads.length === 0) return false
    if (log.unread === 0) this.#report.started()
    await log.append(payloads)
    this.#report.worked('write')
    queue.discard(payloads.length)
    memory.count()
    stats.messagesSpilled += payloads.length
    this.#gauge()
    this.#syncTimer ??= setTimeout(() => void this.#sync(log), SYNC_MS)
    return true
  }

  #block(why: 'failed' | 'full', retryMs: number): void {
    this.#blocked = why
    if (!this.#closed) this.#retryTimer = setTimeout(() => this.#unblock(), retryMs)
  }

  #unblock(): void {
    if (this.#retryTimer) clearTimeout(this.#retryTimer)
    this.#blocked = null
    if (!this.#due()) for (const operation of ['open', 'write'] as const) this.#report.unneeded(operation)
    this.pushed()
  }

  /** Poll and commit both call this, so releases run one after the other. Never rejects. */
  #release(position: SpillPosition): Promise<void> {
    this.#releasing = this.#releasing.then(() => this.#releaseNow(position))
    return this.#releasing
  }

  async #releaseNow(position: SpillPosition): Promise<void> {
    if (!this.#folder) return
    const { log } = this.#folder
    try {
      await log.release(position)
      this.#unreleased = null
      this.#report.worked('release')
    } catch (error) {
      this.#unreleased = position
      this.#report.failed('release', error, 'try again')
      if (!this.#closed) this.#releaseTimer ??= setTimeout(() => void this.#releaseAgain(), RETRY_MS)
    }
    if (this.#blocked === 'full') this.#unblock()
    this.#gauge()
    if (log.bytes === 0) this.#report.caughtUp()
  }

  /** Looks at its turn what is left to release, as a release before it may be newer. */
  #releaseAgain(): Promise<void> {
    if (this.#releaseTimer) clearTimeout(this.#releaseTimer)
    this.#releaseTimer = null
    this.#releasing = this.#releasing.then(async () => {
      if (this.#unreleased !== null) await this.#releaseNow(this.#unreleased)
    })
    return this.#releasing
  }

  async #sync(log: SpillLog): Promise<void> {
    this.#syncTimer = null
    try {
      await log.sync()
      this.#report.worked('sync')
    } catch (error) {
      this.#report.failed('sync', error, 'continue')
    }
  }

  async #read(log: SpillLog, max: number): Promise<Buffer[]> {
    try {
      return await log.read(max)
    } catch (cause) {
      const { dir } = this.#parts
      throw pushSourceErrors.SPILL_UNREADABLE(`what was spilled to ${dir} cannot be read; see the cause`, {
        cause,
      })
    }
  }

  /** Opens a folder that is not empty, so that messages of an earlier run are delivered first. */
  async #findLeftBehind(): Promise<void> {
    const { clock, dir } = this.#parts
    if (clock.monotonic() < this.#retryAt) return
    this.#retryAt = clock.monotonic() + AGAIN_MS
    try {
      const isEmpty = !(await SpillLog.isIn(dir))
      if (isEmpty) this.#report.unneeded('open')
      this.#leftBehindFound = isEmpty || (await this.#opened()) !== null
    } catch (error) {
      this.#retryAt = clock.monotonic() + RETRY_MS
      this.#report.failed('open', error, 'pause')
    }
  }

  /** null: another owner holds the folder. */
  #opened(): Promise<SpillFolder | null> {
    if (this.#folder) return Promise.resolve(this.#folder)
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #open(): Promise<SpillFolder | null> {
    const { dir, maxBytes } = this.#parts
    this.#folder = await SpillFolder.open({
      dir,
      segmentBytes: segmentBytesFor(maxBytes),
      onTorn: (damage) => this.#report.torn(damage),
      onDamage: (damage) => this.#report.damaged(damage),
    })
    if (this.#folder === null) this.#report.locked()
    else this.#report.worked('open')
    if (this.#folder !== null && this.backlog) this.#report.found(this.#folder.log.unread)
    this.#gauge()
    return this.#folder
  }

  async #close(): Promise<void> {
    const { queue, stats } = this.#parts
    await this.#writing
    // Kafka may have records whose offsets nobody commits, because another worker runs the task now.
    await this.committed()
    await this.#releaseAgain()
    if (this.#active) await this.#keep()
    for (const timer of [this.#retryTimer, this.#syncTimer]) if (timer) clearTimeout(timer)
    if (this.#active) stats.messagesDropped += queue.size
    try {
      await this.#folder?.close()
    } catch (error) {
      this.#report.failed('close', error, 'leave')
    }
    this.#folder = null
  }

  /** Writes to disk what Kafka has not acknowledged, and what is still queued. */
  async #keep(): Promise<void> {
    const { queue, codec } = this.#parts
    const inFlight = [...this.#deliveries.onlyInMemory(), ...(this.#taken?.messages ?? [])]
    const queued = queue.size
    if (inFlight.length + queued === 0) return
    let kept = 0
    try {
      const folder = inFlight.length > 0 ? await this.#opened() : null
      await folder?.log.prepend(inFlight.map((message) => codec.encode(message)))
      if (folder !== null) kept = inFlight.length
    } catch (error) {
      this.#report.failed('write', error, 'abandon')
    }
    this.#blocked = null
    await this.#startWriting(() => queue.size > 0)
    this.#report.kept(kept + queued - queue.size, inFlight.length - kept + queue.size)
  }

  #gauge(): void {
    this.#parts.stats.spillBytes = this.#folder?.log.bytes ?? 0
  }
}

function sizeOf(payloads: readonly Buffer[]): number {
  let bytes = 0
  for (const payload of payloads) bytes += payload.length
  return bytes
}
