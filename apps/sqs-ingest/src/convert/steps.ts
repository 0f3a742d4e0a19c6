import { ConnectError } from '@tributary/connect-api'
import { sqsErrors } from '../errors.ts'
import { compactJson } from '../json/json-text.ts'
import type { MessageAttribute } from '../message.ts'
import { asText, type Content } from './content.ts'
import { decompress, type DecompressOptions } from './decompress.ts'
import { openEnvelopes } from './envelope.ts'
import { checkedJson, FieldError, type FieldPath, jsonOrString, jsonString } from './field.ts'
import { InflateError } from './inflate.ts'
import type { ObjectReader } from './object-reader.ts'
import { MAX_POINTER_CHARS, type ObjectRef, pointerIn, PointerError } from './pointer.ts'

/** One message on its way through the steps. */
export interface Work {
  readonly signal: AbortSignal
  /** Envelopes taken off so far. */
  envelopes: number
  /** Of the last envelope of SNS; null: none. */
  attributes: Readonly<Record<string, MessageAttribute>> | null
}

/** Turns content into other content. Answers at once where nothing is fetched from S3 and nothing large is inflated. */
export type Step = (content: Content, work: Work) => Content | Promise<Content>

/** Calls `next` with the value, at once if it is there. */
export function then<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Takes envelopes off until none is left. More than `maxDepth` of one message make it a bad one. */
export function unwrap(kinds: readonly string[], maxDepth: number): Step {
  return (content, work) => {
    const text = asText(content)
    if (typeof text !== 'string') return text
    const opened = openEnvelopes(text, kinds, maxDepth - work.envelopes)
    if (opened === null) {
      throw sqsErrors.SQS_BODY(
        `The body has more than ${maxDepth} envelopes within each other (message.unwrap.depth.max)`,
      )
    }
    work.envelopes += opened.depth
    work.attributes = opened.attributes ?? work.attributes
    return opened.content
  }
}

/** Tells that a message passed a step unchanged, and why. */
export type Unchanged = (why: string) => void

/** DecompressingMessageConverter: the whole content, or the text at a path of a JSON document. */
export function decompressStep(path: FieldPath | null, options: DecompressOptions, unchanged: Unchanged): Step {
  const inflate: Step = (content) => decompress(content, options)
  return failing(
    'Message decompression failed: Decompression failed',
    path === null ? inflate : atPath(path, inflate, jsonOrString, unchanged),
  )
}

/** ClaimCheckMessageConverter: fetches the object that the whole content, or the text at each path, names. */
export function claimCheckStep(
  paths: readonly FieldPath[],
  objects: ObjectReader,
  after: DecompressOptions | null,
  unchanged: Unchanged,
): Step {
  const redeem: Step = (content, { signal }) => {
    const ref = refIn(content)
    if (ref === null) {
      unchanged('it names no object of S3')
      return content
    }
    return objects.read(ref, signal).then((object) => (after === null ? object : decompress(object, after)))
  }
  const steps = paths.map((path) => atPath(path, redeem, jsonString, unchanged))
  return failing('Claim check S3 retrieval failed', paths.length === 0 ? redeem : inTurn(steps))
}

/**
 * DecompressingClaimCheckMessageConverter: an object that is named is fetched and decompressed. Anything else is decompressed, and if
 * an object is named then, that object is fetched. Without a path, only what says itself that it is compressed is decompressed, as
 * the JVM connector passes such messages unchanged.
 */
export function decompressingClaimCheckStep(
  path: FieldPath | null,
  objects: ObjectReader,
  options: DecompressOptions,
  unchanged: Unchanged,
): Step {
  const whole: DecompressOptions = path === null ? { ...options, format: 'AUTO' } : options
  const redeem: Step = (content, { signal }) => {
    const ref = refIn(content)
    if (ref !== null) return objects.read(ref, signal).then((object) => decompress(object, options))
    return then(decompress(content, whole), (inflated) => {
      const inner = inflated === content ? null : refIn(inflated)
      if (inner === null) return inflated
      // An object that is compressed although its address was, too, says so itself.
      return objects
        .read(inner, signal)
        .then((object) => decompress(object, { ...options, format: 'AUTO', base64: false }))
    })
  }
  const step = path === null ? redeem : atPath(path, redeem, jsonOrString, unchanged)
  return failing('Decompressing claim check processing failed', step)
}

/** FieldExtractorConverter: the text of a field, or its compact JSON. Bytes pass unchanged. */
export function extractStep(path: FieldPath, failOnMissing: boolean): Step {
  return (content) => {
    const text = asText(content)
    const field = typeof text === 'string' ? fieldOf(path, text) : null
    if (field !== null) return field
    if (!failOnMissing || typeof text !== 'string') return text
    throw sqsErrors.SQS_FIELD_MISSING(`Field extraction failed: Field path '${path.text}' not found in message`)
  }
}

function fieldOf(path: FieldPath, text: string): string | null {
  let json: string | null
  try {
    json = path.in(checkedJson(text, 'a path'))
  } catch (error) {
    if (error instanceof FieldError) return null
    throw error
  }
  if (json === null) return null
  return json.startsWith('"') ? (JSON.parse(json) as string) : compactJson(json)
}

/** One step after the other. */
export function inTurn(steps: readonly Step[]): Step {
  return (content, work) => {
    let current: Content | Promise<Content> = content
    for (const step of steps) current = then(current, (value) => step(value, work))
    return current
  }
}

/** Applies a step to the text at a path, and puts the result back. A document without a text there stays as it is. */
function atPath(
  path: FieldPath,
  step: Step,
  toJson: (content: Content, path: string) => string,
  unchanged: Unchanged,
): Step {
  return (content, work) => {
    const document = checkedJson(content, `the field path ${path.text}`)
    const field = path.in(document)
    if (field === null || !field.startsWith('"')) {
      unchanged(field === null ? `there is no field ${path.text}` : `the field ${path.text} is no text`)
      return content
    }
    const value = JSON.parse(field) as string
    return then(step(value, work), (result) =>
      result === value ? content : path.replace(document, toJson(result, path.text)),
    )
  }
}

function refIn(content: Content): ObjectRef | null {
  const text = content.length > MAX_POINTER_CHARS ? content : asText(content)
  return typeof text === 'string' ? pointerIn(text) : null
}

/** Says in each data error which converter failed, in the words of the JVM connector. Outages and others pass. */
function failing(prefix: string, step: Step): Step {
  const explain = (error: unknown): never => {
    if (error instanceof InflateError)
      throw sqsErrors.SQS_DECOMPRESS(`${prefix}: ${error.message}`, { cause: error.cause })
    if (error instanceof FieldError) throw sqsErrors.SQS_BODY(`${prefix}: ${error.message}`)
    if (error instanceof PointerError) throw sqsErrors.SQS_CLAIM_CHECK(`${prefix}: ${error.message}`)
    if (error instanceof ConnectError && error.code === 'SQS_OBJECT') {
      throw sqsErrors.SQS_OBJECT(`${prefix}: ${error.message}`, { cause: error.cause })
    }
    if (error instanceof ConnectError && error.code === 'SQS_CLAIM_CHECK') {
      throw sqsErrors.SQS_CLAIM_CHECK(`${prefix}: ${error.message}`)
    }
    throw error
  }
  return (content, work) => {
    try {
      const result = step(content, work)
      return result instanceof Promise ? result.catch(explain) : result
    } catch (error) {
      return explain(error)
    }
  }
}
