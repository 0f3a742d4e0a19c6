import type { Queue } from '../message.ts'
import type { SqsSettings } from '../settings/read.ts'

/** One entry of the settings that name queues: the URL of a queue, or its name or ARN, which are looked up. */
export type QueueEntry = { readonly url: string } | { readonly lookUp: string }

/** Names of queues (SQS API reference, CreateQueue). */
const NAME = /^(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$/
const ARN = /^arn:[a-z0-9-]+:sqs:[a-z0-9-]+:\d{12}:([^:]+)$/

/** Reads an entry. null: it is none of the three. */
export function queueEntry(text: string): QueueEntry | null {
  if (/^https?:\/\//i.test(text)) return NAME.test(queueName(text)) ? { url: text } : null
  const arn = ARN.exec(text)
  return NAME.test(arn?.[1] ?? text) ? { lookUp: text } : null
}

/** The name at the end of the URL of a queue; '' for what is no URL, or has no path. */
export function queueName(url: string): string {
  return /([^/]*)$/.exec(URL.parse(url)?.pathname ?? '')![1]!
}

/** The region that a URL of AWS names, in its present form and the two that came before; null for any other host. */
export function regionOf(url: string): string | null {
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

/** A queue by its URL. The settings say whether it is read as a FIFO queue. */
export function queueOf(url: string, config: Pick<SqsSettings, 'sqs.fifo.queue' | 'sqs.fifo.auto.detect'>): Queue {
  const name = queueName(url)
  return { url, name, fifo: config['sqs.fifo.queue'] || (config['sqs.fifo.auto.detect'] && name.endsWith('.fifo')) }
}
