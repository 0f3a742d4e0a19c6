import { type DeadLetter, ERROR_TYPES, readDeadLetter } from '@tributary/connect-api'
import { isIn, type LetterEvent, LETTER_STATUSES, type LetterStatus, letterSets } from '@tributary/connect-storage'
import type { NewLetter } from '../../libs/dead-letters/src/store/letter-store.ts'
import type { StoredFilter } from '../../libs/dead-letters/src/store/letter-search.ts'
import type { Random } from '../support/random.ts'

export interface ModelLetter {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly at: number
  readonly letter: DeadLetter
  status: LetterStatus
  errorType: string
  message: string
  failed: number
  notes: string | null
  resolvedBy: string | null
  lastReplay: string | null
}

export const WORDS = ['price', 'Preis', 'größe', 'GRÖSSE', 'time', 'timeout', '42', 'Ünal', 'naïve', '東京', 'a-b', 'x_y', '"q"', 'NOT', 'OR*'] // prettier-ignore
export const CONNECTORS = ['a', 'b', 'c"d', null] as const
export const TOPICS = ['orders', "o'clock", null] as const
export const LETTER_TOPICS = ['dlq-1', 'dlq-2'] as const
const KINDS: readonly LetterEvent['kind'][] = ['taken', 'written', 'filtered', 'failed', 'superseded', 'quarantined', 'discarded', 'reopened', 'released', 'annotated'] // prettier-ignore

/** A letter, as a dead-letter topic has it. Many letters have one time. */
export function newLetter(random: Random, offset: number): NewLetter {
  const text = (): string =>
    Array.from({ length: random.int(5) }, () => random.pick(WORDS)).join(random.pick([' ', ', ', '/']))
  const headers: [string, Buffer][] = [
    ['error_type', Buffer.from(random.pick(ERROR_TYPES))],
    ['__connect.errors.exception.message', Buffer.from(text())],
  ]
  const [connector, topic] = [random.pick(CONNECTORS), random.pick(TOPICS)]
  if (random.chance(0.3)) headers.push(['__tributary.errors.timestamp', Buffer.from(String(random.int(40) * 1000))])
  if (connector !== null) headers.push(['__connect.errors.connector.name', Buffer.from(connector)])
  if (topic !== null) headers.push(['__connect.errors.topic', Buffer.from(topic)])
  const record = {
    ...{ offset: BigInt(offset), timestamp: random.int(40) * random.pick([1, 1000, 1e9]) },
    key: random.chance(0.5) ? null : Buffer.from(text()),
    value: random.chance(0.1) ? null : Buffer.from(text()),
  }
  return { record, letter: readDeadLetter({ ...record, headers }) }
}

/** The index as an array. */
export class Model {
  letters: ModelLetter[] = []
  readonly events: LetterEvent[] = []
  /** The next offset of a place. */
  readonly next = new Map<string, number>()
  #ids = 0

  add(topic: string, partition: number, { record, letter }: NewLetter): void {
    const { message, errorType } = letter.context
    const one: ModelLetter = {
      ...{
        topic,
        partition,
        offset: Number(record.offset),
        at: letter.context.failedAt ?? record.timestamp,
        letter,
        status: 'UNRESOLVED',
      },
      ...{ errorType, message: message ?? '', failed: 0, notes: null, resolvedBy: null, lastReplay: null },
    }
    for (const event of this.events) applyTo(one, event)
    this.letters.push(one)
  }

  /** An event about some places, of which some may not be there yet. */
  event(random: Random): LetterEvent {
    const topic = random.pick(LETTER_TOPICS)
    const partition = random.int(2)
    const end = (this.next.get(`${topic}/${partition}`) ?? 0) + 20
    const letters = Array.from({ length: 1 + random.int(30) }, () => random.int(end))
    const places = [...new Set(letters)].map((offset) => ({ topic, partition, offset: String(offset) }))
    const kind = random.pick(KINDS)
    return {
      ...{ id: String(++this.#ids).padStart(6, '0'), at: this.#ids, by: random.pick(['ann', 'ben']), kind },
      letters: letterSets(places)[0]!,
      ...(random.chance(0.6) && { replay: `r${random.int(3)}` }),
      ...(random.chance(0.3) && { notes: random.pick(WORDS) }),
      ...(kind === 'failed' &&
        random.chance(0.7) && { error: { type: random.pick(ERROR_TYPES), message: random.pick(WORDS) } }),
    }
  }

  apply(event: LetterEvent): void {
    this.events.push(event)
    for (const letter of this.letters) applyTo(letter, event)
  }

  /** Newest first, in the order of their places within a ms, which the index may change. */
  find(filter: StoredFilter): ModelLetter[] {
    return this.letters.filter((letter) => matches(letter, filter)).sort((a, b) => b.at - a.at)
  }
}

function applyTo(letter: ModelLetter, { kind, letters, by, replay, notes, error }: LetterEvent): void {
  if (!isIn(letters, { topic: letter.topic, partition: letter.partition, offset: String(letter.offset) })) return
  letter.notes = notes ?? letter.notes
  letter.lastReplay = replay ?? letter.lastReplay
  if (error) [letter.errorType, letter.message] = [error.type, error.message]
  if (kind === 'annotated') return
  if (kind === 'failed') letter.failed++
  if (kind === 'reopened') letter.failed = 0
  const status: Record<string, LetterStatus> = { taken: 'IN_PROGRESS', written: 'RESOLVED', filtered: 'RESOLVED' }
  const same: LetterStatus | undefined = LETTER_STATUSES.find((name) => name === kind.toUpperCase())
  letter.status = status[kind] ?? same ?? 'UNRESOLVED'
  letter.resolvedBy = letter.status === 'UNRESOLVED' || letter.status === 'IN_PROGRESS' ? null : by
}

function matches(one: ModelLetter, filter: StoredFilter): boolean {
  const { context, key, value } = one.letter
  const within = <T>(values: readonly T[] | undefined, of: T): boolean => values === undefined || values.includes(of)
  if (!within(filter.connectors, context.connector ?? '\0') || !within(filter.visible, context.connector)) return false
  if (!within(filter.topics, one.topic) || !within(filter.originalTopics, context.topic ?? '\0')) return false
  if (!within<string>(filter.errorTypes, one.errorType) || !within(filter.statuses, one.status)) return false
  if (one.at < (filter.from ?? 0) || one.at > (filter.to ?? Infinity)) return false
  if (filter.text === undefined) return true
  const payload = `${key?.toString() ?? ''} ${value?.toString() ?? ''}`
  return hasWords(one.message, filter.text) || (filter.inPayload === true && hasWords(payload, filter.text))
}

function hasWords(text: string, query: string): boolean {
  const plain = (words: string): string => words.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const words: readonly string[] = plain(text).match(/[\p{L}\p{N}]+/gu) ?? []
  const wanted = plain(query).match(/[\p{L}\p{N}]+\*?/gu) ?? []
  if (wanted.length === 0) return false
  return wanted.every((want) => {
    if (want.endsWith('*')) return words.some((word) => word.startsWith(want.slice(0, -1)))
    return words.includes(want)
  })
}
