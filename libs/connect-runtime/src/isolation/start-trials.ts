import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { readdir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Serial } from '@tributary/async'
import type { TaskId } from '../model/task.ts'

/** After this many ends of a process during its start alone, a task is not started again. */
export const MAX_DEATHS = 3
/** No connector's folder begins with a dot. */
const FOLDER = '.starts'
/** Starts that are closer to each other, in ms, are not alone: the code of one may end the process when the other has begun. */
const APART_MS = 1000
/** A suspect waits no longer than this, in ms, for a moment alone. */
const TURN_MS = 10_000
const LOOK_MS = 100
const FORGOTTEN_MS = 24 * 3600 * 1000

interface Trial {
  /** Ends that were counted before. */
  readonly deaths: number
  alone: boolean
}

/**
 * Finds out which task ends its process when it starts: by exhausted memory, a crash of native code, `process.exit`. Nothing in a
 * dying process can say whose fault it is, and a signal from outside ends it just the same. So a task's code is on trial only while
 * it reads its configuration (`SourceTask.start`: some milliseconds, without waiting for Kafka or the source), and an end of the
 * process counts only if no other task began to start within a second. Then the task's file in the data folder remains, with the
 * count in it. A suspect waits until it can start alone; a start that returns clears the count.
 *
 * Files and not the status topic: a file is written at once, whether Kafka is there or not, and outlives a killed process.
 */
export class StartTrials {
  readonly #folder: string
  readonly #groupId: string
  readonly #now: () => number
  /** Counts that an ended process has left, by name of the file. */
  readonly #suspects = new Map<string, number>()
  readonly #active = new Map<string, Trial>()
  readonly #turns = new Serial()
  #last: { readonly name: string; readonly at: number } = { name: '', at: -Infinity }

  /** `groupId`: several services may share `dataDir`. `now`: in ms, monotonic. */
  constructor(dataDir: string, groupId: string, now: () => number = () => performance.now()) {
    this.#folder = join(dataDir, FOLDER)
    this.#groupId = groupId
    this.#now = now
  }

  /** Reads what ended processes have left. Call it before the first task starts. */
  async load(): Promise<void> {
    // A suspect lets the other tasks of the process start first.
    this.#last = { name: '', at: this.#now() }
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const file = join(this.#folder, name)
      const [text, stats] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(() => ['', null] as const)
      // The task may be gone for long.
      if (stats !== null && Date.now() - stats.mtimeMs > FORGOTTEN_MS) await unlink(file).catch(() => undefined)
      else if (Number(text) > 0) this.#suspects.set(name, Number(text))
    }
  }

  /** Resolves when the task may start: at once, unless it is a suspect. */
  async turn(id: TaskId): Promise<void> {
    if (!this.#suspects.has(this.#name(id))) return
    await this.#turns.run(async () => {
      const until = this.#now() + TURN_MS
      while (!this.#isQuiet(this.#name(id)) && this.#now() < until) await sleep(LOOK_MS)
    })
  }

  /** How many processes have ended while the task started alone. */
  deaths(id: TaskId): number {
    return this.#suspects.get(this.#name(id)) ?? 0
  }

  /** Runs code of the task that starts it. */
  async run(id: TaskId, start: () => Promise<void>): Promise<void> {
    const name = this.#name(id)
    this.#begin(name)
    try {
      await start()
    } finally {
      this.#end(name)
    }
  }

  /** A user restarts the task, or changes its configuration. */
  forget(id: TaskId): void {
    const name = this.#name(id)
    if (this.#suspects.delete(name)) this.#write(name, 0)
  }

  #begin(name: string): void {
    const alone = this.#isQuiet(name)
    this.#last = { name, at: this.#now() }
    if (!alone) for (const other of this.#active.keys()) this.#notAlone(other)
    const deaths = alone ? this.#read(name) : (this.#suspects.get(name) ?? 0)
    this.#active.set(name, { deaths, alone })
    if (alone) this.#write(name, deaths + 1)
  }

  #notAlone(name: string): void {
    const trial = this.#active.get(name)!
    if (trial.alone) this.#write(name, trial.deaths)
    trial.alone = false
  }

  #end(name: string): void {
    const trial = this.#active.get(name)
    this.#active.delete(name)
    const suspected = this.#suspects.delete(name)
    if (trial?.alone === true || suspected) this.#write(name, 0)
  }

  #isQuiet(name: string): boolean {
    const recent = this.#last.name !== name && this.#now() - this.#last.at < APART_MS
    return !recent && [...this.#active.keys()].every((other) => other === name)
  }

  #read(name: string): number {
    try {
      return Number(readFileSync(join(this.#folder, name), 'utf8')) || 0
    } catch {
      return this.#suspects.get(name) ?? 0
    }
  }

  /** Synchronous, since the next line may end the process. Where nothing can be written, nothing is counted. */
  #write(name: string, deaths: number): void {
    const file = join(this.#folder, name)
    try {
      if (deaths === 0) unlinkSync(file)
      else {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
        writeFileSync(file, String(deaths), { mode: 0o600 })
      }
    } catch {
      // A full or read-only disk: the task starts nevertheless.
    }
  }

  #name({ connector, task }: TaskId): string {
    return createHash('sha256').update(`${this.#groupId}\0${connector}\0${task}`).digest('hex').slice(0, 32)
  }
}
