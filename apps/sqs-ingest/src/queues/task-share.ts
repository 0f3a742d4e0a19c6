import { createHash } from 'node:crypto'
import type { Props } from '@tributary/connect-api'
import { listOf, queueTexts } from './queue-name.ts'

/** The key of a task's configuration with its share of the queues, `<task>/<tasks>`, where they are not known before the start, or shared. */
const SHARE_KEY = 'sqs.queue.share'

/** A task's share of the queues: number `index` of `count` tasks. */
export interface TaskShare {
  readonly index: number
  readonly count: number
}

/**
 * Splits the queues over at most `maxTasks` tasks, as the JVM connector does: each task gets its queue in `sqs.queue.url`, or several
 * in `sqs.queue.urls`. A single standard queue goes to all tasks; a FIFO queue to one, and so does a mirrored queue, as a task knows
 * only what it has produced itself. Where a prefix or a reference `${…}` names the
 * queues, each task gets a share of them instead and finds out its queues when it starts.
 */
export function taskConfigs(props: Props, maxTasks: number): Props[] {
  if (maxTasks < 1) return []
  const { 'sqs.queue.url': url, 'sqs.queue.urls': urls, ...rest } = props
  const texts = queueTexts(urls, url)
  const unknown = listOf(props['sqs.queue.name.prefix']).length > 0 || texts.some((text) => text.includes('${'))
  if (unknown) return shared(props, maxTasks)
  if (texts.length === 1) {
    const fifo = texts[0]!.endsWith('.fifo') || props['sqs.fifo.queue']?.trim().toLowerCase() === 'true'
    const own = { ...rest, 'sqs.queue.url': texts[0]! }
    const mirror = props['sqs.mode']?.trim().toLowerCase() === 'mirror'
    return fifo || mirror || maxTasks === 1 ? [own] : shared(own, maxTasks)
  }
  const tasks = Math.min(maxTasks, texts.length)
  const shares: string[][] = Array.from({ length: tasks }, () => [])
  for (const [at, text] of texts.entries()) shares[at % tasks]!.push(text)
  return shares.map((own) => {
    return { ...rest, ...(own.length === 1 ? { 'sqs.queue.url': own[0]! } : { 'sqs.queue.urls': own.join(',') }) }
  })
}

function shared(props: Props, tasks: number): Props[] {
  return Array.from({ length: tasks }, (_, index) => ({ ...props, [SHARE_KEY]: `${index}/${tasks}` }))
}

/** The share in a task's configuration; all queues without one. */
export function shareOf(props: Props): TaskShare {
  const [index = 0, count = 1] = props[SHARE_KEY]?.split('/').map(Number) ?? []
  return { index, count }
}

/** Whether a queue belongs to the share. The URL decides, so a queue stays with its task when others come and go. */
export function isOwn(url: string, { index, count }: TaskShare): boolean {
  return count === 1 || createHash('sha256').update(url).digest().readUInt32BE(0) % count === index
}
