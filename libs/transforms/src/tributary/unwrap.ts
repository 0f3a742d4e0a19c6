import { type ConnectRecord, type Header, isPlainObject, type TransformationPlugin } from '@tributary/connect-api'
import { unwrap } from './envelopes.ts'

/** A notification of SNS, as SQS, HTTP and Lambda get it without raw message delivery. */
const unwrapSns = unwrap({
  name: 'UnwrapSns',
  what: 'a notification of SNS',
  prefix: 'sns.',
  open: (body) => {
    if (body['Type'] !== 'Notification' || typeof body['TopicArn'] !== 'string' || !Object.hasOwn(body, 'Message'))
      return null
    return {
      field: 'Message',
      value: body['Message'],
      attributes: {
        'message.id': body['MessageId'],
        'topic.arn': body['TopicArn'],
        subject: body['Subject'],
        timestamp: body['Timestamp'],
        ...snsAttributes(body['MessageAttributes']),
      },
      time: body['Timestamp'],
    }
  },
})

/** `{name: {Type, Value}}` → `attribute.name`. */
function snsAttributes(attributes: unknown): Record<string, unknown> {
  if (!isPlainObject(attributes)) return {}
  const entries = Object.entries(attributes).map(([name, attribute]) => {
    return [`attribute.${name}`, isPlainObject(attribute) ? attribute['Value'] : null]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

/** An event of EventBridge: its `detail` is the content. */
const unwrapEventBridge = unwrap({
  name: 'UnwrapEventBridge',
  what: 'an event of EventBridge',
  prefix: 'eventbridge.',
  open: (body) => {
    if (typeof body['detail-type'] !== 'string' || typeof body['source'] !== 'string' || !Object.hasOwn(body, 'detail'))
      return null
    const resources = body['resources']
    return {
      field: 'detail',
      value: body['detail'],
      attributes: {
        id: body['id'],
        source: body['source'],
        'detail-type': body['detail-type'],
        account: body['account'],
        region: body['region'],
        time: body['time'],
        resources: listText(resources),
      },
      time: body['time'],
    }
  },
})

/** The texts of a list, joined by commas; null: there are none. */
function listText(list: unknown): string | null {
  const texts = Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
  return texts.length > 0 ? texts.join(',') : null
}

/** Headers of CloudEvents by the bindings of Kafka (`ce_id`) and HTTP (`ce-id`). */
const CE_HEADER = /^ce[_-]/

/**
 * An event of CloudEvents 1.0: structured as one JSON object, or binary, with its attributes in headers. The result has the attributes
 * in headers by the binding of Kafka, where no other prefix is set.
 */
const unwrapCloudEvents = unwrap({
  name: 'UnwrapCloudEvents',
  what: 'an event of CloudEvents',
  prefix: 'ce_',
  open: (body) => {
    const { specversion, data, data_base64: base64, datacontenttype, ...attributes } = body
    if (typeof specversion !== 'string' || typeof body['id'] !== 'string' || typeof body['type'] !== 'string')
      return null
    return {
      field: 'data',
      value: typeof base64 === 'string' ? Buffer.from(base64, 'base64') : data,
      attributes: { specversion, ...attributes },
      contentType: datacontenttype,
      time: body['time'],
    }
  },
  openHeaders: (record) => {
    if (!record.headers?.some(({ name }) => /^ce[_-]specversion$/.test(name))) return null
    return {
      field: null,
      value: record.value,
      attributes: attributesIn(record.headers),
      time: timeIn(record),
      replaces: isAttribute,
    }
  },
})

function isAttribute({ name }: Header): boolean {
  return CE_HEADER.test(name)
}

function attributesIn(headers: readonly Header[]): Record<string, unknown> {
  const attributes = headers.filter(isAttribute).map(({ name, value }) => [name.slice(3), textOf(value)])
  return Object.fromEntries(attributes) as Record<string, unknown>
}

function timeIn({ headers }: ConnectRecord): unknown {
  return textOf(headers?.find(({ name }) => /^ce[_-]time$/.test(name))?.value)
}

function textOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value
}

export const UNWRAP: readonly TransformationPlugin[] = [unwrapSns, unwrapEventBridge, unwrapCloudEvents]
