import type { MessageAttribute } from '../message.ts'
import { compactJson, findSpan, isObject } from '../json/json-text.ts'

export interface Opened {
  readonly content: string
  /** The message attributes that a notification of SNS carries in its envelope. */
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
}

/**
 * Takes envelopes off until none is left. `attributes` are those of the innermost one that has some. Null: there are more than
 * `maxDepth`.
 */
export function openEnvelopes(
  text: string,
  kinds: readonly string[],
  maxDepth: number,
): (Opened & { readonly depth: number }) | null {
  let attributes: Opened['attributes']
  let content = text
  for (let depth = 0; ; depth++) {
    const opened = openEnvelope(content, kinds)
    if (opened === null) return { content, depth, ...(attributes && { attributes }) }
    if (depth === maxDepth) return null
    content = opened.content
    attributes = opened.attributes ?? attributes
  }
}

/**
 * Takes one envelope off. `sns`: a notification, of which the text of `Message` is left (SNS, "HTTP/HTTPS notification JSON format").
 * `eventbridge`: an event, of which the JSON of `detail` is left, or its text if it is a string. Null: there is none.
 */
function openEnvelope(text: string, kinds: readonly string[]): Opened | null {
  if (!/^\s*\{/.test(text)) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  if (!isObject(value)) return null
  if (kinds.includes('sns') && isNotification(value)) {
    return { content: value.Message, ...attributesOf(value.MessageAttributes) }
  }
  return kinds.includes('eventbridge') && isEvent(value) ? { content: detailOf(text, value.detail) } : null
}

function isNotification(
  value: Readonly<Record<string, unknown>>,
): value is { Message: string; MessageAttributes?: unknown } {
  return (
    value['Type'] === 'Notification' && typeof value['Message'] === 'string' && typeof value['TopicArn'] === 'string'
  )
}

function isEvent(value: Readonly<Record<string, unknown>>): value is { detail: unknown } {
  const { 'detail-type': detailType, source, detail } = value
  return typeof detailType === 'string' && typeof source === 'string' && detail !== undefined
}

function detailOf(text: string, detail: unknown): string {
  if (typeof detail === 'string') return detail
  const { start, end } = findSpan(text, ['detail'])!
  return compactJson(text.slice(start, end))
}

function attributesOf(value: unknown): Pick<Opened, 'attributes'> {
  if (!isObject(value)) return {}
  const found = Object.entries(value).flatMap(([name, attribute]) => {
    const { Type: dataType, Value: content } = (attribute ?? {}) as {
      readonly Type?: unknown
      readonly Value?: unknown
    }
    if (typeof dataType !== 'string' || typeof content !== 'string') return []
    const binary = dataType.startsWith('Binary')
    const one: MessageAttribute = binary
      ? { dataType, binaryValue: Buffer.from(content, 'base64') }
      : { dataType, stringValue: content }
    return [[name, one] as const]
  })
  return { attributes: Object.fromEntries(found) }
}
