import { setTimeout as sleep } from 'node:timers/promises'
import { readPartition } from './kafka-topic.ts'

/** What became of the numbers 1 to `last` in a topic of one partition. */
export interface Delivered {
  readonly last: number
  readonly kept: number
  /** Numbers from 1 to `last` that are not in the topic. */
  readonly lost: number
  /** Records besides the first one of their number. */
  readonly twice: number
  /** Whether the first record of each number follows the first records of all lower numbers. */
  readonly inOrder: boolean
}

export function numbersIn(records: readonly { readonly value: Buffer | null }[]): number[] {
  return records.map(({ value }) => Number(/"sequence":\s*"(\d+)"/.exec(String(value))?.[1] ?? NaN))
}

/**
 * Reads the topic as a read_committed consumer, and repeats this until the topic contains `last`, because a commit is
 * answered before its markers are written. After a minute the present content counts.
 */
export async function deliveredTo(brokers: readonly string[], topic: string, last: number): Promise<Delivered> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const numbers = numbersIn(await readPartition(brokers, topic, 0, { committed: true }))
    if (numbers.includes(last) || Date.now() > deadline) return count(numbers, last)
    await sleep(200)
  }
}

function count(numbers: readonly number[], last: number): Delivered {
  const seen = new Set<number>()
  let highest = 0
  let inOrder = true
  for (const number of numbers) {
    if (!seen.has(number) && number < highest) inOrder = false
    highest = Math.max(highest, number)
    seen.add(number)
  }
  let lost = 0
  for (let number = 1; number <= last; number++) if (!seen.has(number)) lost++
  return { last, kept: numbers.length, lost, twice: numbers.length - seen.size, inOrder }
}
