import type { SourceRecord } from '@tributary/connect-api'
import { abortable } from '@tributary/async'
import { Deliveries, type Taken } from './deliveries.ts'
import { entryBytes } from './entry.ts'
import { SpillFolder } from './spill-folder.ts'
import type { SpillPosition } from './position-file.ts'
import { segmentBytesFor, SpillLog } from './spill-log.ts'
import type { SpillParts } from './spill-parts.ts'
import { SpillTold } from './spill-told.ts'
import { pushSourceErrors } from '../errors.ts'

const MIB = 1024 * 1024
/** One write takes about so much at most, as encoding it holds the event loop. */
const WRITE_BYTES = 4 * MIB
/**
 * With so much still to be read, every burst goes to disk at once. With less the log is left to be read to its end while what
 * comes waits in memory: otherwise, under load, nothing would ever come by without a way over the disk.
 */
const BACKLOG_BYTES = MIB
/** After an error of the disk the next try comes so much later, in ms. */
const RETRY_MS = 5000
/** ms between two looks at a folder that someone else has, or that is full. */
const AGAIN_MS = 1000
/** ms from a write to its fdatasync, which serves all writes until then. */
const SYNC_MS = 1000

/**
 * The part of an intake's queue that is on disk, before the part in memory. The front of the memory queue goes to the end of
 * the log when the queue is half full, or when there is a backlog on disk anyway; a message leaves memory only once it is
 * written, so that an error of the disk changes nothing but that the queue gets full. One write takes all that a turn of the
 * event loop, or the write before, has left in the queue.
 */
export class Spill<T> {
  readonly #parts: SpillParts<T>
  readonly #told: SpillTold
  readonly #deliveries = new Deliveries<T>()
  #folder: SpillFolder | null = null
  #opening: Promise<SpillFolder | null> | null = null
  /** The first `take` makes this run the one that answers for the messages; before, another may still have the folder. */
  #active = false
  #leftBehindFound = false
  #scheduled = false
  #writing: Promise<void> | null = null
  /** Why nothing can be written at present: the disk has failed, or the bound is reached. */
  #blocked: 'failed' | 'full' | null = null
  #retryAt = 0
  #retryTimer: NodeJS.Timeout | null = null
  #syncTimer: NodeJS.Timeout | null = null
  /** The last take, until it is known what became of it. */
  #taken: Taken<T> | null = null
  /** What nothing became of, and nothing waits before. */
  #unneeded: SpillPosition | null = null
  #releasing: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null

  constructor(parts: SpillParts<T>) {
    this.#parts = parts
    this.#told = new SpillTold(parts)
    parts.stats.spillMaxBytes = parts.maxBytes
  }

  /** Messages wait on disk. */
  get backlog(): boolean {
    return (this.#folder?.log.unread ?? 0) > 0
  }

  /** What is in memory will be kept at the end, as far as can be told. */
  get keeps(): boolean {
    return this.#active && this.#blocked === null
  }

  /** Messages were added to the queue. */
  pushed(): void {
    if (!this.#scheduled && this.#writing === null && this.#due()) this.#schedule()
  }

  /** Up to `max` messages from disk, once no write is under way; null when what comes next is in memory. */
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
        return payloads.map((payload) => this.#parts.codec.decode(payload))
      }
      if (this.#writing === null) return null
      await abortable(this.#writing, signal)
    }
  }

  /** What a take found in memory instead. */
  takenFromMemory(messages: readonly T[]): void {
    if (messages.length > 0) this.#taken = { position: null, messages }
  }

  handedOut(records: readonly SourceRecord[]): void {
    if (this.#taken !== null) this.#unneeded = this.#deliveries.handedOut(records, this.#taken)
    this.#taken = null
  }

  delivered(record: SourceRecord): void {
    this.#deliveries.delivered(record)
  }

  async committed(): Promise<void> {
    const position = this.#deliveries.take()
    if (position !== null) await this.#release(position)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #due(): boolean {
    const { queue } = this.#parts
    if (!this.#active || this.#closed !== null || this.#blocked !== null || queue.size === 0) return false
    if (queue.size * 2 >= queue.maxRecords || queue.bytes * 2 >= queue.maxBytes) return true
    return this.#folder !== null && this.#folder.log.unread >= BACKLOG_BYTES
  }

  /** After the callbacks of this turn, so that the whole burst is in one write. */
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
        this.#told.full()
        return this.#block('full', AGAIN_MS)
      }
    } catch (error) {
      this.#told.failed('write', error, 'pause')
      this.#block('failed', RETRY_MS)
    }
  }

  /** False: no room. */
  async #writeOnce(log: SpillLog): Promise<boolean> {
    const { queue, codec, stats, maxBytes } = this.#parts
    let room = maxBytes - log.bytes
    const payloads: Uint8Array[] = []
    for (const message of queue.peek(Math.min(WRITE_BYTES, room))) {
      const payload = codec.encode(message)
      room -= entryBytes(payload.length)
      if (room < 0) break
      payloads.push(payload)
    }
    if (payloads.length === 0) return false
    if (log.unread === 0) this.#told.started()
    await log.append(payloads)
    this.#told.worked()
    queue.discard(payloads.length)
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
    this.pushed()
  }

  /** One after the other: poll and commit come here. Never rejects. */
  #release(position: SpillPosition): Promise<void> {
    this.#releasing = this.#releasing.then(() => this.#releaseNow(position))
    return this.#releasing
  }

  async #releaseNow(position: SpillPosition): Promise<void> {
    if (!this.#folder) return
    const { log } = this.#folder
    try {
      await log.release(position)
    } catch (error) {
      this.#told.failed('release', error, 'keep')
    }
    if (this.#blocked === 'full') this.#unblock()
    this.#gauge()
    if (log.bytes === 0) this.#told.caughtUp()
  }

  async #sync(log: SpillLog): Promise<void> {
    this.#syncTimer = null
    try {
      await log.sync()
    } catch (error) {
      this.#told.failed('sync', error, 'continue')
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

  /** What a former run, or process, has left is handed out before anything else. */
  async #findLeftBehind(): Promise<void> {
    const { clock, dir } = this.#parts
    if (clock.monotonic() < this.#retryAt) return
    this.#retryAt = clock.monotonic() + AGAIN_MS
    try {
      this.#leftBehindFound = !(await SpillLog.isIn(dir)) || (await this.#opened()) !== null
    } catch (error) {
      this.#retryAt = clock.monotonic() + RETRY_MS
      this.#told.failed('open', error, 'pause')
    }
  }

  /** null: someone else has it. */
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
      onTorn: (damage) => this.#told.torn(damage),
      onDamage: (damage) => this.#told.damaged(damage),
    })
    if (this.#folder === null) this.#told.locked()
    else if (this.backlog) this.#told.found(this.#folder.log.unread)
    this.#gauge()
    return this.#folder
  }

  /** Keeps what nobody took, then leaves the folder to the next owner. */
  async #close(): Promise<void> {
    const { queue, stats } = this.#parts
    await this.#writing
    // Also what was sent after the task went to another worker, for which nobody commits offsets.
    await this.committed()
    if (this.#active) await this.#keep()
    for (const timer of [this.#retryTimer, this.#syncTimer]) if (timer) clearTimeout(timer)
    if (this.#active) stats.messagesDropped += queue.size
    try {
      await this.#folder?.close()
    } catch (error) {
      this.#told.failed('close', error, 'leave')
    }
    this.#folder = null
  }

  /** What Kafka has not acknowledged, and what nobody took. */
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
      this.#told.failed('write', error, 'abandon')
    }
    this.#blocked = null
    await this.#startWriting(() => queue.size > 0)
    this.#told.kept(kept + queued - queue.size, inFlight.length - kept + queue.size)
  }

  #gauge(): void {
    this.#parts.stats.spillBytes = this.#folder?.log.bytes ?? 0
  }
}
