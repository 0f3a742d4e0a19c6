import type { SourceRecord, Transformation } from '@tributary/connect-api'
import { StageFailure } from './stage-failure.ts'

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

/** The record after the transforms from place `from` of the chain on; null if one filtered it out. Throws TransformFailure. */
export function transformRecord(
  chain: readonly NamedTransformation[],
  record: SourceRecord,
  from: number,
): SourceRecord | null {
  // A record that the source could not decode has no value to transform. The encoder hands it to the error handler.
  if (record.error !== undefined) return record
  let current = record
  let at = from
  try {
    for (; at < chain.length; at++) {
      const next = chain[at]!.apply(current)
      if (next === null) return null
      current = next
    }
    return current
  } catch (cause) {
    const failed = chain[at]!
    throw new TransformFailure(failed.className ?? failed.constructor.name, cause, current, at)
  }
}
