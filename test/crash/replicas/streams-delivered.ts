import { readPartition } from '../../support/kafka-topic.ts'

/** One record of a StreamsSource, as read from the topic. */
export interface Item {
  readonly stream: string
  readonly sequence: number
  /** Number of the call in which the source sent the record. */
  readonly call: number
  /** When the broker appended the record (a topic with LogAppendTime), in ms since the epoch. */
  readonly at: number
}

/** What became of the numbers 1 to `last` of one stream. */
export interface StreamDelivered {
  readonly stream: string
  readonly kept: number
  /** Numbers from 1 to `last` that are not in the topic. */
  readonly lost: number
  /** Records besides the first one of their number. */
  readonly twice: number
  /** Whether the first record of each number follows the first records of all lower numbers. */
  readonly inOrder: boolean
  /**
   * Records of a zombie: they follow the first record of a later call, so their task still wrote when its successor
   * already did.
   */
  readonly byZombie: number
  /** The produce requests of these records; the records of one request share their append time. */
  readonly zombieRequests: number
}

/** The content of the topic's only partition by stream, in the order of the log. */
export async function readItems(
  brokers: readonly string[],
  topic: string,
  options: { readonly committed?: boolean } = {},
): Promise<Map<string, Item[]>> {
  const records = await readPartition(brokers, topic, 0, options)
  const items = records.map(({ value, timestamp }): Item => {
    const { stream, sequence, call } = JSON.parse(String(value)) as { stream: string; sequence: string; call: number }
    return { stream, sequence: Number(sequence), call, at: Number(timestamp) }
  })
  return Map.groupBy(items, ({ stream }) => stream)
}

export function countItems(stream: string, items: readonly Item[], last: number): StreamDelivered {
  const seen = new Set<number>()
  let highest = 0
  let latestCall = 0
  let inOrder = true
  let byZombie = 0
  const zombieRequests = new Set<string>()
  for (const { sequence, call, at } of items) {
    if (!seen.has(sequence) && sequence < highest) inOrder = false
    if (call < latestCall) {
      byZombie++
      zombieRequests.add(`${call} ${at}`)
    }
    highest = Math.max(highest, sequence)
    latestCall = Math.max(latestCall, call)
    seen.add(sequence)
  }
  let lost = 0
  for (let sequence = 1; sequence <= last; sequence++) if (!seen.has(sequence)) lost++
  return {
    stream,
    kept: items.length,
    lost,
    twice: items.length - seen.size,
    inOrder,
    byZombie,
    zombieRequests: zombieRequests.size,
  }
}

/** The longest time within a window without a new number of the stream in the topic, in ms. */
function longestGap(items: readonly Item[], from: number, to: number): number {
  let highest = 0
  let last = from
  let longest = 0
  for (const { sequence, at } of items) {
    if (sequence <= highest) continue
    highest = sequence
    if (at < from) continue
    if (at > to) break
    longest = Math.max(longest, at - last)
    last = at
  }
  return Math.max(longest, to - last)
}

/** The longest gaps of several streams, in ms. */
export interface Gaps {
  readonly max: number
  readonly median: number
}

export function longestGaps(
  items: ReadonlyMap<string, readonly Item[]>,
  streams: readonly string[],
  from: number,
  to: number,
): Gaps {
  const all = streams.map((stream) => longestGap(items.get(stream) ?? [], from, to)).sort((a, b) => a - b)
  return { max: all.at(-1) ?? 0, median: all[Math.floor(all.length / 2)] ?? 0 }
}

/** Sums over streams, as one line of a report. */
export function summary(delivered: readonly StreamDelivered[]): string {
  const sum = (count: (d: StreamDelivered) => number): number => delivered.reduce((total, d) => total + count(d), 0)
  const [kept, lost, twice, byZombie] = [
    sum((d) => d.kept),
    sum((d) => d.lost),
    sum((d) => d.twice),
    sum((d) => d.byZombie),
  ]
  return `${delivered.length} streams: ${kept} records, ${lost} lost, ${twice} twice, ${byZombie} by a zombie`
}
