import { MAX_LETTERS, MAX_RUNS } from './dead-letter-records.ts'
import type { LetterSet } from './types.ts'

/** Where a letter lies. Its offset is a decimal number. */
export interface LetterPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

type Runs = Map<string, Map<number, number[]>>

/** Sets of these letters, in few records: each within the bounds of one. */
export function letterSets(letters: readonly LetterPlace[], maxLetters = MAX_LETTERS): LetterSet[] {
  const sets: LetterSet[] = []
  for (let from = 0; from < letters.length; from += maxLetters) {
    const part = letters.slice(from, from + maxLetters)
    const set = letterSet(part)
    if (runsOf(set) <= MAX_RUNS) sets.push(set)
    else for (let at = 0; at < part.length; at += MAX_RUNS) sets.push(letterSet(part.slice(at, at + MAX_RUNS)))
  }
  return sets
}

export function letterSet(letters: Iterable<LetterPlace>): LetterSet {
  const offsets: Runs = new Map()
  for (const { topic, partition, offset } of letters) {
    const partitions = offsets.get(topic) ?? new Map<number, number[]>()
    const list = partitions.get(partition) ?? []
    list.push(Number(offset))
    offsets.set(topic, partitions.set(partition, list))
  }
  const entries = [...offsets].map(([topic, partitions]) => {
    const runs = [...partitions].map(([partition, list]) => [partition, runsOfOffsets(list)] as const)
    return [topic, Object.fromEntries(runs)] as const
  })
  return Object.fromEntries(entries)
}

function runsOfOffsets(offsets: number[]): [number, number][] {
  offsets.sort((a, b) => a - b)
  const runs: [number, number][] = []
  for (const offset of offsets) {
    const last = runs.at(-1)
    if (last === undefined || offset > last[0] + last[1]) runs.push([offset, 1])
    else if (offset === last[0] + last[1]) last[1]++
  }
  return runs
}

/** The letters of a set, by topic, partition and offset. */
export function* lettersOf(set: LetterSet): Generator<LetterPlace> {
  for (const [topic, partitions] of Object.entries(set)) {
    for (const [partition, runs] of Object.entries(partitions)) {
      for (const [first, count] of runs) {
        for (let offset = first; offset < first + count; offset++) {
          yield { topic, partition: Number(partition), offset: String(offset) }
        }
      }
    }
  }
}

export function sizeOf(set: LetterSet): number {
  let size = 0
  for (const partitions of Object.values(set)) {
    for (const runs of Object.values(partitions)) for (const [, count] of runs) size += count
  }
  return size
}

export function isIn(set: LetterSet, { topic, partition, offset }: LetterPlace): boolean {
  const partitions = Object.hasOwn(set, topic) ? set[topic]! : {}
  const runs = Object.hasOwn(partitions, partition) ? partitions[partition]! : []
  const at = Number(offset)
  return runs.some(([first, count]) => at >= first && at < first + count)
}

function runsOf(set: LetterSet): number {
  return Object.values(set).reduce(
    (sum, partitions) => sum + Object.values(partitions).reduce((runs, list) => runs + list.length, 0),
    0,
  )
}
