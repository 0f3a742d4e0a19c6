import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { OffsetEntry, OldConnect, OldConnector } from './old-connect.ts'
import { configHere, type ReportOptions } from './report.ts'
import { messageOf, MigrateError, mustBeDone, pathOf, type Rest } from './rest.ts'
import type { Saved, SaveFolder, Step } from './saved.ts'
import { STEPS } from './saved.ts'
import { translateOffsets } from './sources.ts'

export interface MoveOptions extends Pick<ReportOptions, 'workerConfig'> {
  readonly old: OldConnect
  readonly here: Rest
  readonly folder: SaveFolder
  /** For a Kafka Connect without stop: how long its tasks may go on after the deletion, in ms. */
  readonly graceMs: number
  /** How long the connector may take to run here, in ms. */
  readonly startMs: number
  /** How long it must run until it counts as moved, in ms. */
  readonly settleMs: number
  /** Says what is done now. */
  readonly tell: (what: string) => void
}

export interface Moved {
  readonly name: string
  readonly outcome: 'moved' | 'stays' | 'rolled_back' | 'stuck'
  readonly offsets: number
  readonly left: number
  /** Why it did not move; null if it did. */
  readonly error: string | null
}

const LOOK_MS = 300

/**
 * Moves one connector: the old one ends, and then the new one is made, gets the offsets and starts. The two never run at once. If a step
 * fails, the new one is removed and the old one runs again. Goes on behind the last step that was written down.
 */
export async function moveConnector(
  connector: OldConnector,
  begun: Saved | null,
  options: MoveOptions,
): Promise<Moved> {
  const move = new Move(connector, begun, options)
  try {
    await move.run()
    return move.result('moved', null)
  } catch (error) {
    const why = (error as Error).message
    options.tell(`${connector.name}: ${why}`)
    try {
      await move.back()
      return move.result('rolled_back', why)
    } catch (again) {
      return move.result('stuck', `${why}. Going back failed, too: ${(again as Error).message}`)
    }
  }
}

class Move {
  readonly #options: MoveOptions
  readonly #begun: boolean
  #saved: Saved
  /** Whether the new one was made is not known: no answer came. */
  #inDoubt = false

  constructor(connector: OldConnector, begun: Saved | null, options: MoveOptions) {
    const { old, here, workerConfig } = options
    this.#options = options
    this.#begun = begun !== null
    this.#saved = begun ?? {
      step: 'saved',
      ...{ from: old.rest.url, to: here.url, old: connector, config: configHere(connector, workerConfig) },
      ended: old.hasOffsets === false ? 'deleted' : 'stopped',
      offsets: null,
    }
  }

  async run(): Promise<void> {
    const { old, folder, tell } = this.#options
    const { name } = this.#saved.old
    await folder.write(this.#saved)
    await this.#step('ended', async () => {
      tell(`${name}: ${this.#saved.ended === 'stopped' ? 'stops' : 'is saved and deleted'} on ${old.rest.url}`)
      await this.#endOld()
      return {}
    })
    await this.#step('read', async () => {
      if (this.#saved.ended === 'deleted') return {}
      const all = await this.#settledOffsets()
      return { offsets: { old: all, ...translateOffsets(this.#saved.config, all) } }
    })
    await this.#step('made', () => this.#make())
    await this.#step('moved', () => this.#setOffsets())
    await this.#step('done', () => this.#start())
  }

  /** Removes the new one, and lets the old one be what it was. */
  async back(): Promise<void> {
    const { old, here, tell, folder } = this.#options
    const { ended, old: connector } = this.#saved
    const { name } = connector
    // One of this name that others have made stays.
    const own = this.#isDone('made') || (this.#inDoubt && (await this.#isThere()))
    if (own) {
      tell(`${name}: is removed from ${here.url}`)
      await this.#removeNew()
    }
    tell(`${name}: runs on ${old.rest.url} as before`)
    await old.restore(connector, ended === 'deleted')
    this.#saved = { ...this.#saved, step: 'saved', offsets: null }
    await folder.write(this.#saved)
  }

  result(outcome: Moved['outcome'], error: string | null): Moved {
    const { offsets, old } = this.#saved
    return { name: old.name, outcome, offsets: offsets?.moved.length ?? 0, left: offsets?.left.length ?? 0, error }
  }

  #isDone(step: Step): boolean {
    return STEPS.indexOf(this.#saved.step) >= STEPS.indexOf(step)
  }

  async #step(step: Step, run: () => Promise<Partial<Saved>>): Promise<void> {
    if (this.#isDone(step)) return
    this.#saved = { ...this.#saved, ...(await run()), step }
    await this.#options.folder.write(this.#saved)
  }

  async #endOld(): Promise<void> {
    const { old, graceMs } = this.#options
    const { name } = this.#saved.old
    if (this.#saved.ended === 'stopped') return old.stop(name)
    await old.remove(name)
    // Nothing tells when the tasks of a deleted connector have ended.
    await sleep(graceMs)
  }

  /** The last commit of a task may come behind its end. */
  async #settledOffsets(): Promise<readonly OffsetEntry[]> {
    const { old } = this.#options
    const { name, type } = this.#saved.old
    if (type === 'sink') return []
    let before = await old.offsets(name)
    for (;;) {
      await sleep(LOOK_MS)
      const now = await old.offsets(name)
      if (isDeepStrictEqual(now, before)) return now
      before = now
    }
  }

  async #make(): Promise<Partial<Saved>> {
    const { here, tell } = this.#options
    const { config, old } = this.#saved
    tell(`${old.name}: is made on ${here.url}, stopped`)
    const body = { name: old.name, config, initial_state: 'STOPPED' }
    this.#inDoubt = true
    const answer = await here.call('POST', '/connectors', body)
    this.#inDoubt = answer.status >= 500
    // A run before this one may have made it, and ended before it wrote that down.
    const again = answer.status === 409 && this.#begun && (await this.#isThere())
    if (!again) mustBeDone(`make ${old.name}`, here, answer)
    return {}
  }

  /** Values of secrets may be masked in an answer. */
  async #isThere(): Promise<boolean> {
    const { status, body } = await this.#options.here.call('GET', pathOf(this.#saved.old.name, '/config'))
    const keys = (config: unknown): string[] => Object.keys(config as object).sort()
    return status === 200 && isDeepStrictEqual(keys(body), keys(this.#saved.config))
  }

  async #setOffsets(): Promise<Partial<Saved>> {
    const { here, tell, startMs } = this.#options
    const { offsets, old } = this.#saved
    const moved = (offsets?.moved ?? []).filter(({ offset }) => offset !== null)
    if (moved.length === 0) return {}
    tell(`${old.name}: ${moved.length} offsets are set`)
    const until = Date.now() + startMs
    for (;;) {
      const answer = await here.call('PATCH', pathOf(old.name, '/offsets'), { offsets: moved })
      // The connector may not be known as stopped everywhere yet.
      const early = answer.status >= 500 || /STOPPED state/.test(messageOf(answer))
      if (!early || Date.now() > until) {
        mustBeDone(`set the offsets of ${old.name}`, here, answer)
        return {}
      }
      await sleep(LOOK_MS)
    }
  }

  async #start(): Promise<Partial<Saved>> {
    const { here, tell, startMs, settleMs } = this.#options
    const { name, state } = this.#saved.old
    if (state === 'STOPPED') return {}
    const [verb, wanted] = state === 'PAUSED' ? ['pause', 'PAUSED'] : ['resume', 'RUNNING']
    tell(`${name}: ${verb === 'pause' ? 'is paused' : 'starts'} on ${here.url}`)
    mustBeDone(`${verb} ${name}`, here, await here.call('PUT', pathOf(name, `/${verb}`)))
    const until = Date.now() + startMs
    let last = 'no status'
    let since: number | null = null
    for (;;) {
      const answer = await here.call('GET', pathOf(name, '/status'))
      if (answer.status === 200) {
        const { connector, tasks } = answer.body as NewStatus
        const all = [connector, ...tasks]
        // A paused connector that never ran has no tasks.
        const there = all.every((one) => one.state === wanted) && (tasks.length > 0 || wanted === 'PAUSED')
        since = there ? (since ?? Date.now()) : null
        // A task that runs may fail at its first read.
        if (since !== null && Date.now() - since >= settleMs) return {}
        const failed = all.find((one) => one.state === 'FAILED')
        if (failed !== undefined) throw new MigrateError(`It fails on ${here.url}: ${firstLine(failed.trace)}`)
        last = all.map((one) => one.state).join(', ')
      }
      if (Date.now() > until)
        throw new MigrateError(`It is not ${wanted} on ${here.url} after ${startMs / 1000} s: ${last}`)
      await sleep(LOOK_MS)
    }
  }

  /** Waits until its tasks are gone, since the old one starts behind. */
  async #removeNew(): Promise<void> {
    const { here, startMs } = this.#options
    const { name } = this.#saved.old
    const stopped = await here.call('PUT', pathOf(name, '/stop'))
    if (stopped.status === 404) return
    mustBeDone(`stop ${name}`, here, stopped)
    const until = Date.now() + startMs
    for (;;) {
      const answer = await here.call('GET', pathOf(name, '/status'))
      const tasks = answer.status === 200 ? (answer.body as NewStatus).tasks.length : 0
      if (tasks === 0) break
      if (Date.now() > until) throw new MigrateError(`Its tasks do not end on ${here.url}`)
      await sleep(LOOK_MS)
    }
    mustBeDone(`delete ${name}`, here, await here.call('DELETE', pathOf(name)))
  }
}

interface NewStatus {
  readonly connector: State
  readonly tasks: readonly State[]
}

interface State {
  readonly state: string
  readonly trace?: string
}

function firstLine(trace = 'no reason was given'): string {
  return trace.split('\n', 1)[0]!
}
