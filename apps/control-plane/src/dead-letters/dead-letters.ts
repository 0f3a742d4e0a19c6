import {
  type DeadLetterStore,
  isIn,
  type Replay,
  type ReplayChoice,
  type ReplayResults,
} from '@tributary/connect-storage'
import type { DeadLetterIndex, LetterFilter, LetterPage, LetterRow, LetterStats } from '@tributary/dead-letters'
import type { Identity } from '../access/identity.ts'
import type { RecordMask } from '../access/record-mask.ts'
import { grantFor, type Right } from '../access/rights.ts'
import { restError } from '../http/rest-errors.ts'
import { dryRun } from './dry-run.ts'
import type { EventIds } from './ids.ts'
import { replayId } from './ids.ts'
import type { IndexFeed } from './index-feed.ts'
import { type Change, changeLetters } from './letter-changes.ts'
import { choiceFilter, plainFilter } from './letter-filters.ts'
import type { AskedFilter } from './letter-query.ts'
import type { ReadLetter } from './letter-reader.ts'
import { iso, wholeLetterView } from './letter-view.ts'
import { letterRights } from './letter-rights.ts'
import type { AskedLetters, AskedReplay } from './replay-request.ts'
import { dryRunView } from './replay-view.ts'
import type { ReplayWorkers } from './replay-workers.ts'
import { hasEnded, type Replays } from './replays.ts'

export interface DeadLettersOptions {
  readonly store: DeadLetterStore
  readonly index: DeadLetterIndex
  readonly feed: Pick<IndexFeed, 'settled'>
  readonly replays: Replays
  readonly ids: EventIds
  readonly workers: ReplayWorkers
  readonly read: ReadLetter
  /** Hides fields of the records that are shown. */
  readonly mask: RecordMask
  /** `dlq.max.replays` */
  readonly maxReplays: number
  /** Why no record may be written to the topic, in a sentence; null: one may. */
  readonly refusedTopic: (topic: string) => string | null
}

/** A batch under way when a replay is cancelled is waited for so long, in ms. */
const CANCEL_WAIT_MS = 5000

/** What the API does with dead letters. Each method takes the caller, and does no more than the caller may. */
export class DeadLetters {
  readonly #options: DeadLettersOptions

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  list(
    asked: AskedFilter,
    page: { limit: number; cursor?: string; offset?: number },
    identity: Identity,
  ): Promise<LetterPage> {
    return this.#options.index.query(seen(asked, identity), page)
  }

  stats(asked: AskedFilter, identity: Identity): Promise<LetterStats> {
    return this.#options.index.stats(seen(asked, identity))
  }

  /** The whole letter, with its history. Throws 404 for one that is not there, or that the caller may not see, and 403. */
  async read(id: string, identity: Identity): Promise<object> {
    const { index, read, store } = this.#options
    const has = letterRights(identity)
    const { records } = await index.query({ ids: [id.toLowerCase()] }, { limit: 1 })
    const row = records[0]
    if (row === undefined && !index.state.ready) throw restError('lettersUnready')
    if (row === undefined || !has('view', row.connector)) throw restError('letterNotFound', id)
    const { connector } = row
    if (!has('records', connector)) {
      throw restError('forbidden', identity.name, 'records', connector, grantFor('records', connector))
    }
    const record = await read(row)
    if (record === null) throw restError('letterGone', id)
    const history = [...store.snapshot.events()].filter(({ letters }) => isIn(letters, row))
    return wholeLetterView(row, record, history, this.#options.mask)
  }

  /** The replays that concern a connector which the caller sees, the newest first. */
  replays(identity: Identity): readonly Replay[] {
    return this.#options.store.snapshot.replays().filter((replay) => concerns(replay, 'view', identity))
  }

  replay(id: string, identity: Identity): Replay {
    const replay = this.#options.store.snapshot.replay(id)
    if (replay === null || !concerns(replay, 'view', identity)) throw restError('replayNotFound', id)
    // The errors of letters may tell of connectors that the caller does not see.
    return concernsAll(replay, 'view', identity) ? replay : { ...replay, failures: [] }
  }

  results(replay: Replay): ReplayResults {
    return this.#options.store.snapshot.results(replay.id)
  }

  /** The replay that the body asks for, checked, and not begun. */
  async plan(asked: AskedReplay, identity: Identity): Promise<Replay> {
    const { index, refusedTopic } = this.#options
    const { ids, limit, filter, dryRun: _, ...terms } = asked
    const refused = asked.targetTopic === null ? null : refusedTopic(asked.targetTopic)
    if (refused !== null) throw restError('fieldInvalid', 'target_topic', `a topic of users: ${refused}`)
    const rights: readonly Right[] =
      asked.targetTopic !== null || asked.edits.length > 0 ? ['operate', 'alter'] : ['operate']
    const rows = ids === null ? null : await this.#named(ids, identity, rights)
    if (rows !== null && !asked.force) refuseDone(rows)
    const connectors = rows === null ? await this.#connectors(asked, identity, rights) : unique(rows)
    const choice: ReplayChoice = {
      ...filter,
      ids,
      connectors,
      inPayload: inPayload(filter, identity),
      limit: ids?.length ?? limit,
    }
    const at = Date.now()
    const replay: Replay = {
      ...terms,
      id: replayId(),
      at,
      by: identity.name,
      state: (asked.scheduledAt ?? 0) > at ? 'scheduled' : 'queued',
      choice,
      connector: filter.connectors?.length === 1 ? filter.connectors[0]! : null,
      count: 0,
      ...{ chosen: false, startedAt: null, completedAt: null, waitingFor: null, cancelledBy: null, results: null },
      failures: [],
    }
    const count = rows?.length ?? Math.min(limit, await index.count(choiceFilter(replay)))
    return { ...replay, count }
  }

  /** What the replay would write. The records themselves are shown to callers who may read them. */
  async dryRun(replay: Replay, identity: Identity, signal: AbortSignal): Promise<object> {
    const has = letterRights(identity)
    const tried = await dryRun(replay, this.#options, signal)
    const { mask } = this.#options
    return dryRunView(replay, tried, (connector, record) => (has('records', connector) ? mask.record(record) : null))
  }

  begin(replay: Replay): Promise<void> {
    return this.#options.replays.create(replay)
  }

  /** Throws 404 and 403, and 409 for a replay that has ended. */
  async cancel(id: string, identity: Identity): Promise<Replay> {
    const { replays, store } = this.#options
    const replay = this.replay(id, identity)
    const denied = replay.choice.connectors?.find((connector) => !letterRights(identity)('operate', connector))
    if (denied !== undefined)
      throw restError('forbidden', identity.name, 'operate', denied, grantFor('operate', denied))
    if (hasEnded(replay)) throw restError('replayEnded', id, replay.state)
    await replays.cancel(replay, identity.name, CANCEL_WAIT_MS)
    return store.snapshot.replay(id) ?? replay
  }

  /** Resolves with how many letters there were. */
  async change(
    kind: Change,
    { ids, filter, limit, notes }: AskedLetters & { readonly notes: string | null },
    identity: Identity,
  ): Promise<number> {
    const { ids: eventIds, ...parts } = this.#options
    if (ids !== null) await this.#named(ids, identity, ['operate'])
    const rights = letterRights(identity)
    const letters: LetterFilter = {
      ...plainFilter({ ...filter, inPayload: inPayload(filter, identity) }),
      ...(filter.statuses !== null && { statuses: filter.statuses }),
      ...(filter.connectors !== null && { connectors: filter.connectors }),
      ...(ids !== null && { ids }),
      visible: (connector) => rights('operate', connector),
    }
    const eventId = (): string => eventIds.next()
    return changeLetters({ ...parts, eventId }, kind, {
      ...{ filter: letters, limit: ids?.length ?? limit, by: identity.name, notes },
    })
  }

  /** The letters of these ids, all of which the caller sees, and has the rights for. */
  async #named(ids: readonly string[], identity: Identity, rights: readonly Right[]): Promise<readonly LetterRow[]> {
    const { index } = this.#options
    const has = letterRights(identity)
    const { records } = await index.query(
      { ids, visible: (connector) => has('view', connector) },
      { limit: ids.length },
    )
    const found = new Set(records.map(({ id }) => id))
    const invalid = ids.filter((id) => !found.has(id))
    if (invalid.length > 0 && !index.state.ready) throw restError('lettersUnready')
    if (invalid.length > 0) {
      throw restError('lettersUnknown', invalid).detailed('INVALID_REQUEST', {
        invalid_ids: invalid,
        valid_ids: [...found],
      })
    }
    for (const right of rights) {
      const denied = records.find(({ connector }) => !has(right, connector))
      if (denied)
        throw restError('forbidden', identity.name, right, denied.connector, grantFor(right, denied.connector))
    }
    return records
  }

  /** The connectors whose letters the filter finds, as far as the caller may replay them. */
  async #connectors(
    { filter, force }: AskedReplay,
    identity: Identity,
    rights: readonly Right[],
  ): Promise<readonly (string | null)[]> {
    const has = letterRights(identity)
    const allowed = (connector: string | null): boolean => rights.every((right) => has(right, connector))
    const { connectors, topics } = filter
    // Letters that name no connector are replayed by the one that the body names, with the topic.
    const nameless = connectors?.length === 1 && topics !== null && allowed(null)
    if (connectors !== null) {
      const denied = connectors.find((connector) => !allowed(connector))
      const right = rights.find((needed) => denied !== undefined && !has(needed, denied))
      if (denied !== undefined) throw restError('forbidden', identity.name, right!, denied, grantFor(right!, denied))
      return nameless ? [...connectors, null] : connectors
    }
    const choice = { ...filter, ids: null, connectors: null, inPayload: inPayload(filter, identity), limit: 0 }
    const { byConnector, total } = await this.#options.index.stats({
      ...choiceFilter({ choice, force }),
      visible: allowed,
    })
    const names = Object.keys(byConnector).filter((name) => name !== '' && allowed(name))
    const named = names.reduce((sum, name) => sum + byConnector[name]!, 0)
    return named < total && allowed(null) ? [...names, null] : names
  }
}

/** What the caller may see of what the filter finds. */
function seen(asked: AskedFilter, identity: Identity): LetterFilter {
  const rights = letterRights(identity)
  return {
    ...plainFilter({ ...asked, inPayload: inPayload(asked, identity) }),
    ...(asked.statuses !== null && { statuses: asked.statuses }),
    ...(asked.connectors !== null && { connectors: asked.connectors }),
    visible: (connector) => rights('view', connector),
  }
}

/** Whether words are looked for in keys and values, too: whoever does not see these must not find out what they hold. */
function inPayload({ connectors }: AskedFilter, identity: Identity): boolean {
  const rights = letterRights(identity)
  return connectors?.every((connector) => rights('records', connector)) ?? rights('records', null)
}

function concerns({ choice: { connectors } }: Replay, right: Right, identity: Identity): boolean {
  const rights = letterRights(identity)
  if (connectors === null || connectors.length === 0) return rights(right, null)
  return connectors.some((connector) => rights(right, connector))
}

function concernsAll({ choice: { connectors } }: Replay, right: Right, identity: Identity): boolean {
  const rights = letterRights(identity)
  return connectors?.every((connector) => rights(right, connector)) ?? rights(right, null)
}

function unique(rows: readonly LetterRow[]): readonly (string | null)[] {
  return [...new Set(rows.map(({ connector }) => connector))]
}

/** Letters that were replayed already, or are in a replay now. */
function refuseDone(rows: readonly LetterRow[]): void {
  const resolved = rows.filter(({ status }) => status === 'RESOLVED')
  if (resolved.length > 0) {
    const at = Math.max(...resolved.map(({ resolvedAt }) => resolvedAt ?? 0))
    throw restError('lettersResolved', resolved.length, resolved[0]!.id).detailed('ALREADY_RESOLVED', {
      resolved_ids: resolved.map(({ id }) => id),
      resolved_at: iso(at),
    })
  }
  const busy = rows.filter(({ status }) => status === 'IN_PROGRESS')
  if (busy.length > 0) {
    const { id, lastReplay } = busy[0]!
    throw restError('lettersBusy', busy.length, id, lastReplay ?? 'a replay').detailed('CONFLICT', {
      in_progress_ids: busy.map((row) => row.id),
    })
  }
}
