import type { Queue } from '../message.ts'
import type { SqsSettings } from '../settings/read.ts'

/** One entry of the settings that name queues. `url`: null for a name or an ARN, which is looked up. */
export interface QueueEntry {
  readonly name: string
  readonly url: string | null
  readonly region: string | null
}

/** Names of queues (SQS API reference, CreateQueue). */
const NAME = /^(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$/
const ARN = /^arn:[a-z0-9-]+:sqs:([a-z0-9-]+):\d{12}:([^:]+)$/

/** Reads an entry: the URL, the name or the ARN of a queue. null: it is none of the three. */
export function queueEntry(text: string): QueueEntry | null {
  const [, region = null, named = text] = ARN.exec(text) ?? []
  const url = /^https?:\/\//i.test(text) ? text : null
  const name = url === null ? named : queueName(url)
  return NAME.test(name) ? { name, url, region: url === null ? region : regionOf(url) } : null
}

/** The name at the end of the URL of a queue; '' for what is no URL, or has no path. */
function queueName(url: string): string {
  return /([^/]*)$/.exec(URL.parse(url)?.pathname ?? '')![1]!
}

/** The region that a URL of AWS names, in its present form and the two that came before; null for any other host. */
function regionOf(url: string): string | null {
  const host = URL.parse(url)?.hostname ?? ''
  const found = /^(?:sqs(?:-fips)?\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.exec(host)
  return found?.[1] ?? found?.[2] ?? (host === 'queue.amazonaws.com' ? 'us-east-1' : null)
}

/** The texts that name queues, in order, each once; blanks dropped. `sqs.queue.urls` takes precedence over `sqs.queue.url`. */
export function queueTexts(urls: string | null | undefined, url: string | null | undefined): string[] {
  const several = listOf(urls)
  return several.length > 0 ? several : [url?.trim() ?? ''].filter((text) => text !== '')
}

/** `a, b,,a` → `['a', 'b']`. */
export function listOf(text: string | null | undefined): string[] {
  return [...new Set((text ?? '').split(',').map((each) => each.trim()))].filter((each) => each !== '')
}

type FifoSettings = Pick<SqsSettings, 'sqs.fifo.queue' | 'sqs.fifo.auto.detect'>

/** Whether a queue is read as a FIFO queue. */
export function isFifo(name: string, config: FifoSettings): boolean {
  return config['sqs.fifo.queue'] || (config['sqs.fifo.auto.detect'] && name.endsWith('.fifo'))
}

/** The queue with this URL. */
export function queueOf(url: string, config: FifoSettings, written: string | null = null): Queue {
  const name = queueName(url)
  return { url, ...(written !== null && { written }), name, fifo: isFifo(name, config) }
}
