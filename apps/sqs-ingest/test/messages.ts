import { parseConfig } from '@tributary/connect-api'
import type { MessageAttribute, Queue, SqsMessage } from '../src/message.ts'
import type { ConversionSettings } from '../src/convert/converter.ts'
import { sqsSpec } from '../src/settings/spec.ts'

export const STANDARD: Queue = { url: 'http://sqs/1/orders', name: 'orders', fifo: false }
export const FIFO: Queue = { url: 'http://sqs/1/orders.fifo', name: 'orders.fifo', fifo: true }

const CONVERTER = 'io.connect.sqs.converter.'
export const DECOMPRESSING = `${CONVERTER}DecompressingMessageConverter`
export const CLAIM_CHECK = `${CONVERTER}ClaimCheckMessageConverter`
export const DECOMPRESSING_CLAIM_CHECK = `${CONVERTER}DecompressingClaimCheckMessageConverter`

export function messageOf(
  body: string,
  more: Partial<Omit<SqsMessage, 'body'>> & { attributes?: Readonly<Record<string, MessageAttribute>> } = {},
): SqsMessage {
  return {
    queue: STANDARD,
    id: 'm-1',
    receiptHandle: 'secret-handle',
    body,
    md5OfBody: null,
    system: {},
    attributes: {},
    ...more,
  }
}

/** The settings of a configuration, with the defaults of the others. */
export function conversionOf(props: Readonly<Record<string, string>> = {}): ConversionSettings {
  return parseConfig(sqsSpec, { 'sqs.queue.url': STANDARD.url, 'kafka.topic': 't', ...props })
}
