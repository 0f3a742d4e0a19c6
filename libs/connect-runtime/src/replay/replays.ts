import type { KafkaConnection } from '@tributary/config'
import { configDigest, type ReplayAnswer, type ReplayRequest } from '@tributary/connect-api'
import { redact } from '@tributary/telemetry'
import { PlannedTopics, type TopicReader } from '../preview/planned-topics.ts'
import { Shown } from '../records/shown.ts'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import { createEncoder, type CreatedTask, type TaskEnvironment } from '../unit/task-factory.ts'
import type { TaskUnit } from '../unit/task-unit.ts'
import { BatchReplay } from './batch-replay.ts'
import { Edits } from './edits.ts'
import { KeyBudget } from './later-records.ts'
import { LetterEncoder } from './letter-encoder.ts'
import { ReplaySession } from './session.ts'

/** Most letters of a batch. */
const MAX_LETTERS = 1000
/** Replays whose last outcomes are remembered. */
const MAX_SESSIONS = 64
/** Keys of later records that all replays of the worker keep. */
const MAX_KEYS = 500_000
/** An answer to a dry run shows no further value beyond so many characters. */
const MAX_SHOWN = 4 * 1024 * 1024

export interface ReplaysOptions {
  readonly connection: KafkaConnection
  readonly environment: TaskEnvironment
  readonly topics: TopicReader
  /** Knows the tasks of a connector in this worker. */
  readonly herder: { tasks(connector: string): readonly TaskUnit[] }
}

/** With the HTTP status of the answer. */
interface Refusal {
  readonly error_code: 400 | 404 | 409
  readonly message: string
}

/** Brings dead letters back through the tasks of this worker. */
export class Replays {
  readonly #options: ReplaysOptions
  /** By connector and replay; those used last are at the end. */
  readonly #sessions = new Map<string, ReplaySession>()
  readonly #keys = new KeyBudget(MAX_KEYS)

  constructor(options: ReplaysOptions) {
    this.#options = options
  }

  /** Closes the connections. The tasks have ended before. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#sessions.values(), (session) => session.rest()))
  }

  /** A batch goes on when its caller has gone: the same letters are answered from memory then. */
  async run(connector: string, request: ReplayRequest): Promise<ReplayAnswer | Refusal> {
    const refusal = refusalOf(request)
    if (refusal !== null) return { error_code: 400, message: refusal }
    const units = this.#options.herder.tasks(connector)
    const unit = units.find(({ id }) => id.task === request.task) ?? units[0]
    if (unit === undefined) return { error_code: 404, message: `Connector ${connector} has no task in this worker.` }
    let edits: Edits
    try {
      edits = new Edits(request.edits)
    } catch (error) {
      return { error_code: 400, message: (error as Error).message }
    }
    const session = this.#session(connector, request.replay)
    return session.inTurn(unit.id.task, () => this.#replay(unit, request, edits, session))
  }

  async #replay(
    unit: TaskUnit,
    request: ReplayRequest,
    edits: Edits,
    session: ReplaySession,
  ): Promise<ReplayAnswer | Refusal> {
    const { current } = unit
    const state = unit.failed ? 'failed' : (current?.run.state ?? 'starting')
    if (current === null || state !== 'running') {
      const { connector, task } = unit.id
      return { error_code: 409, message: `Task ${task} of connector ${connector} ${IDLE[state as keyof typeof IDLE]}.` }
    }
    const { config = null } = request
    // A run that the configuration is about to replace, or a task that is no more.
    if (config !== null && unit.id.task === request.task && configDigest(current.parts.stored) !== config) {
      return { error_code: 409, message: `Task ${unit.id.task} does not run with its newest configuration yet.` }
    }
    return current.parts.inScope(async () => {
      const { encoder, topics, ends } = request.dryRun ? this.#dry(current) : real(current)
      const { plugin, task } = current.parts
      const { replay, targetTopic, force } = request
      const letters = new LetterEncoder({ plugin, task, encoder, topics, edits, replay, targetTopic })
      const shown = new Shown(redact, MAX_SHOWN)
      try {
        const batch = new BatchReplay(request.letters, {
          session,
          encoder: letters,
          force,
          show: request.dryRun
            ? (record, placed) => {
                const known = placed || record.key !== null
                const { timestamp } = record
                return { ...shown.output(record, { partition: known ? record.partition : null, timestamp }), timestamp }
              }
            : null,
          beside: current.run.beside,
          clock: this.#options.environment.clock,
        })
        return { outcomes: await batch.run() }
      } finally {
        ends()
      }
    })
  }

  /** Transforms and converters of a dry run's own, which change nothing elsewhere. */
  #dry({ parts }: CreatedTask): Tools {
    const { environment, topics: reader } = this.#options
    const { plugin, props, config } = parts
    const nothing = { tolerate: () => null }
    const watch = { stage: <S>(stage: S): S => stage, told: () => {} }
    const encoder = createEncoder(plugin, props, config, nothing, environment, watch)
    const lookUp: TopicReader = { describeTopics: (...args) => runOutsideScopes(() => reader.describeTopics(...args)) }
    const { topics } = new PlannedTopics({ reader: lookUp, props, config, internalTopic: environment.internalTopic })
    return { encoder, topics, ends: () => encoder.close() }
  }

  #session(connector: string, replay: string): ReplaySession {
    const name = `${connector}\n${replay}`
    const session = this.#sessions.get(name) ?? new ReplaySession(this.#options.connection, this.#keys)
    this.#sessions.delete(name)
    this.#sessions.set(name, session)
    for (const [oldest, { busy }] of this.#sessions) {
      if (this.#sessions.size <= MAX_SESSIONS) break
      if (!busy && oldest !== name) this.#sessions.delete(oldest)
    }
    return session
  }
}

/** Why a task replays nothing. */
const IDLE = {
  starting: 'is starting; it replays dead letters as soon as it runs',
  paused: 'is paused; resume the connector',
  stopped: 'is stopped; resume the connector',
  failed: 'has failed; mend what its trace names, and restart it',
  running: 'is being replaced',
} as const

type Tools = Pick<CreatedTask['parts'], 'encoder'> & {
  readonly topics: ReturnType<CreatedTask['parts']['newTopics']>
  readonly ends: () => void
}

function real({ parts }: CreatedTask): Tools {
  // The counts of the run's own topics must not be read anew between two of its steps.
  return { encoder: parts.encoder, topics: parts.newTopics(), ends: () => {} }
}

function refusalOf({ letters, replay }: ReplayRequest): string | null {
  if (typeof replay !== 'string' || replay === '') return 'A replay has an id.'
  if (!Array.isArray(letters) || letters.length > MAX_LETTERS) return `A batch has at most ${MAX_LETTERS} letters.`
  const isAddress = ({ topic, partition, offset }: ReplayRequest['letters'][number]): boolean =>
    typeof topic === 'string' && Number.isInteger(partition) && /^\d{1,19}$/.test(offset)
  return letters.every(isAddress) ? null : 'A letter has a topic, a partition and an offset in decimal digits.'
}
