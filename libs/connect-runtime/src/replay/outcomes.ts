import { errorTypeOf, type ReplayOutcome } from '@tributary/connect-api'
import { shownError } from '../model/shown-error.ts'

type Troubled = Extract<ReplayOutcome, { readonly message: string }>

/** `stage`: as in the headers of a dead letter. */
export function failed(error: unknown, stage: string | null): Troubled {
  return { outcome: 'failed', type: errorTypeOf(error, stage), message: textOf(error) }
}

/** `why`: a sentence, or the error of an outage. */
export function later(why: unknown): Troubled {
  return { outcome: 'later', type: 'NETWORK_TIMEOUT', message: textOf(why) }
}

export const GONE: Troubled = {
  outcome: 'gone',
  type: 'UNKNOWN',
  message: 'The dead letter is no longer in Kafka: its topic has deleted it.',
}

function textOf(error: unknown): string {
  return shownError(error instanceof Error ? error.message : String(error))
}
