import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { ERROR_TYPES } from '@tributary/connect-api'
import { LETTER_STATUSES } from '@tributary/connect-storage'
import type { LetterRow } from '@tributary/dead-letters'
import { openDatabase } from '../../libs/dead-letters/src/store/database.ts'
import { LetterQueries } from '../../libs/dead-letters/src/store/letter-queries.ts'
import { type PlanBounds, PLAN_BOUNDS, type StoredFilter } from '../../libs/dead-letters/src/store/letter-search.ts'
import { LetterStore } from '../../libs/dead-letters/src/store/letter-store.ts'
import { CONNECTORS, LETTER_TOPICS, Model, type ModelLetter, newLetter, TOPICS, WORDS } from './dead-letters-model.ts'
import { fuzzTargets, mutateText, type Progress, Random, type Report, type Target } from './driver.ts'

const PLANS: readonly PlanBounds[] = [
  PLAN_BOUNDS,
  { mergedGroups: 0, askedLetters: 0 },
  { mergedGroups: 3, askedLetters: 40 },
]
const pause = (): Promise<void> => Promise.resolve()

/** An index and its model after the same letters and events, in an order made from the seed. */
export async function scene(seed: number, steps = 150, model = new Model()) {
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'))
  const opened = await openDatabase(folder)
  const store = new LetterStore(opened.database)
  for (const topic of LETTER_TOPICS) store.open(topic, `id of ${topic}`, [0, 1])
  const partOf = (topic: string, partition: number) => store.part(topic, partition)
  for (let step = 0; step < steps; step++) {
    const topic = random.pick(LETTER_TOPICS)
    const partition = random.int(2)
    if (random.chance(0.3)) {
      const event = model.event(random)
      model.apply(event)
      // Events that were applied may come again, after a restart.
      await store.events.apply(random.chance(0.1) ? model.events : [event], partOf, pause)
    } else if (random.chance(0.03)) {
      const first = random.int(store.part(topic, partition)!.next + 1)
      store.retain(topic, partition, BigInt(first))
      model.letters = model.letters.filter((one) => one.topic !== topic || one.partition !== partition || one.offset >= Math.max(first, store.part(topic, partition)!.first)) // prettier-ignore
    } else {
      const from = store.part(topic, partition)!.next
      let next = from
      const letters = Array.from({ length: random.int(12) }, () => newLetter(random, (next += 1 + random.int(2)) - 1))
      for (const letter of letters) model.add(topic, partition, letter)
      model.next.set(`${topic}/${partition}`, next)
      store.add(topic, [{ partition, letters, next: BigInt(next) }])
    }
  }
  while (store.removeSome());
  const reader = new DatabaseSync(opened.file, { readOnly: true })
  const queries = PLANS.map((plan) => new LetterQueries(reader, store, pause, plan))
  const close = (): void => {
    reader.close()
    opened.close()
    rmSync(folder, { recursive: true })
  }
  return { store, model, queries, close }
}

interface Input {
  readonly filter: StoredFilter
  readonly plan: number
  readonly limit: number
}

export function randomFilter(random: Random): StoredFilter {
  const some = <T>(values: readonly T[]): T[] => values.filter(() => random.chance(0.4))
  const names = CONNECTORS.filter((name) => name !== null)
  const text = (): string => {
    const words = Array.from({ length: 1 + random.int(2) }, () => random.pick(WORDS))
    if (random.chance(0.3)) return mutateText(random, words.join(' '))
    return words.map((word) => (random.chance(0.3) ? `${word.slice(0, 1 + random.int(3))}*` : word)).join(' ')
  }
  return {
    ...(random.chance(0.3) && { connectors: some(names) }),
    ...(random.chance(0.3) && { visible: some(CONNECTORS) }),
    ...(random.chance(0.2) && { topics: some(LETTER_TOPICS) }),
    ...(random.chance(0.2) && { originalTopics: some(TOPICS.filter((topic) => topic !== null)) }),
    ...(random.chance(0.3) && { errorTypes: some(ERROR_TYPES) }),
    ...(random.chance(0.3) && { statuses: some(LETTER_STATUSES) }),
    ...(random.chance(0.2) && { from: random.int(40) * random.pick([1, 1000, 1e9]) }),
    ...(random.chance(0.2) && { to: random.int(40) * random.pick([1, 1000, 1e9]) }),
    ...(random.chance(0.4) && { text: text(), inPayload: random.chance(0.5) }),
  }
}

/** Pages, counts, statistics and choices of the index beside those of the model. */
export function filterTarget({ model, queries }: Awaited<ReturnType<typeof scene>>): Target<Input> {
  return {
    name: 'filter',
    generate: (random) => ({
      filter: randomFilter(random),
      plan: random.int(PLANS.length),
      limit: random.pick([1, 7, 50, 1000]),
    }),
    show: (input) => JSON.stringify(input),
    run: async ({ filter, plan, limit }) => {
      const asked = queries[plan]!
      const expected = model.find(filter)
      const first = await asked.query(filter, { limit })
      same('total', first.total, expected.length)
      const records = [...first.records]
      let next = first.next
      for (let pages = 1; next !== null && pages < 4; pages++) {
        const page = await asked.query(filter, { limit, cursor: next })
        records.push(...page.records)
        next = page.next
      }
      same('length', records.length, Math.min(expected.length, 4 * limit))
      same('times', records.map(({ failedAt }) => failedAt), expected.slice(0, records.length).map(({ at }) => at)) // prettier-ignore
      const found = new Map(expected.map((one) => [placeOf(one), one]))
      same('places', new Set(records.map(placeOf)).size, records.length)
      for (const row of records) compare(row, found.get(placeOf(row)))
      const skipped = await asked.query(filter, { limit: 5, offset: 3 })
      const beginning = records.slice(3, 8).map(({ id }) => id)
      same(
        'offset',
        skipped.records.slice(0, beginning.length).map(({ id }) => id),
        beginning,
      )
      const oldest = await asked.select(filter, 3)
      const others = await asked.select(filter, 1000, oldest.at(-1))
      if (oldest.length === 3) same('selected', oldest.length + others.length, Math.min(expected.length, 1003))
      const stats = await asked.stats(filter)
      same(
        'statuses',
        { ...stats.byStatus },
        countBy(expected, ({ status }) => status),
      )
      same(
        'errors',
        { ...stats.byErrorType },
        countBy(expected, ({ errorType }) => errorType),
      )
      if (records.length > 0) {
        const ids = records.slice(0, 4).map(({ id }) => id)
        same(
          'ids',
          (await asked.query({ ...filter, ids }, { limit: 10 })).records.map(({ id }) => id),
          ids,
        )
        same(
          'found',
          (await asked.find(records.slice(0, 4))).map((row) => row?.id),
          ids,
        )
      }
      return expected.length === 0 ? 'refused' : 'past'
    },
  }
}

function compare(row: LetterRow, one: ModelLetter | undefined): void {
  if (one === undefined) throw new Error(`${placeOf(row)} is not in the model's answer`)
  const { context } = one.letter
  same(
    placeOf(row),
    [row.status, row.errorType, row.message, row.failedReplays, row.notes, row.resolvedBy, row.lastReplay],
    [one.status, one.errorType, one.message, one.failed, one.notes, one.resolvedBy, one.lastReplay],
  )
  same('context', [row.connector, row.originalTopic], [context.connector, context.topic])
}

const placeOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: string | number }): string =>
  `${topic}/${partition}/${offset}`

function countBy(letters: readonly ModelLetter[], of: (one: ModelLetter) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(letters, of)].map(([name, { length }]) => [name, length]))
}

function same(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`)
}

export async function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  const made = await scene(seed)
  try {
    const options = progress ? { progress } : {}
    return await fuzzTargets([filterTarget(made)], iterations, seed, options)
  } finally {
    made.close()
  }
}
