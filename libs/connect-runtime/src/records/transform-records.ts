import { checkTopicName } from '@tributary/config'
import type { SourceRecord, Transformation } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'
import { StageFailure } from './stage-failure.ts'

/** Transformed records between two looks at the clock. */
export const LOOKS = 4

/** A transform of a chain. `className`: as errors name it; absent: the name of its JavaScript class. */
export interface NamedTransformation extends Transformation {
  readonly className?: string
}

/** A transform threw. `input` and `at` tell where to go on: `input` is what the transform at this place of the chain was given. */
export class TransformFailure extends StageFailure {
  readonly input: SourceRecord
  readonly at: number
  constructor(className: string, cause: unknown, input: SourceRecord, at: number) {
    super('TRANSFORMATION', className, cause)
    this.input = input
    this.at = at
  }
}

/** The record after the transforms from place `from` of the chain on; null if one filtered it out. Throws TransformFailure, for an illegal topic too. */
export function transformRecord(
  chain: readonly NamedTransformation[],
  record: SourceRecord,
  from: number,
): SourceRecord | null {
  // A record that the source could not decode has no value to transform. The encoder hands it to the error handler.
  if (record.error !== undefined) return record
  let current = record
  let at = from
  let namedBy = from
  try {
    for (; at < chain.length; at++) {
      const next: SourceRecord | null | undefined = chain[at]!.apply(current)
      // undefined comes from a transform in plain JavaScript. The check of the records refuses it.
      if (next === null || next === undefined) return next
      if (next.topic !== current.topic) namedBy = at
      current = next
    }
  } catch (cause) {
    throw new TransformFailure(classOf(chain[at]!), cause, current, at)
  }
  // A chain that goes on after a failure may have got the topic from the transforms before it.
  if (current.topic !== record.topic || from > 0) {
    const illegal = illegalTopic(current.topic)
    if (illegal !== null) throw new TransformFailure(classOf(chain[namedBy]!), illegal, current, at)
  }
  return current
}

function classOf(transformation: NamedTransformation): string {
  return transformation.className ?? transformation.constructor.name
}

/** Most records follow one of the same topic. */
let lastLegal: string | null = null

/** The topic may come from what a server has sent, so that an illegal one makes a bad record. */
function illegalTopic(topic: unknown): Error | null {
  // What is no text is a bug of the transform, which the check of its records finds.
  if (topic === lastLegal || typeof topic !== 'string') return null
  if (checkTopicName(topic) !== null) {
    return runtimeErrors.RECORD_TOPIC_ILLEGAL(
      `the transforms give the record the topic '${topic.slice(0, SHOWN)}'${topic.length > SHOWN ? '…' : ''} of ${topic.length} characters; a topic has 1 to 249 letters (a-z, A-Z), digits, dots, _ and -, and is neither . nor ..`,
    )
  }
  lastLegal = topic
  return null
}

/** Characters of an illegal topic that an error shows. */
const SHOWN = 100
