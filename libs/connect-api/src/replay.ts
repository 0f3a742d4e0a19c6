import { createHash } from 'node:crypto'
import { canonicalJson } from '@tributary/config'
import type { ErrorType } from './dead-letter.ts'

/** A change of a dead letter's value before its replay. `field`: a path such as `price` or `order.items[0].id`; `$` is the whole value. */
export type ReplayEdit =
  | {
      readonly field: string
      readonly operation: 'cast'
      readonly value: 'int' | 'long' | 'double' | 'boolean' | 'string'
    }
  | { readonly field: string; readonly operation: 'mask'; readonly value?: string }
  | { readonly field: string; readonly operation: 'replace'; readonly value: unknown }

/** Body of the worker's route `PUT /internal/connectors/{name}/replay`. The worker answers when Kafka has the records. */
export interface ReplayRequest {
  readonly replay: string
  /** From 0 on. The worker answers a batch that it has answered before as it did then, and writes nothing. */
  readonly batch: number
  /** The task that failed; a task that is not there any more is replaced by the worker's first one. null: any. */
  readonly task: number | null
  /**
   * SHA-256 of the task's configuration (`configDigest`) as the leader knows it; null or absent: any. A task that does not run with it yet
   * answers 409: letters are replayed by the configuration that was mended for them.
   */
  readonly config?: string | null
  /** In the order in which they are to be written; at most 1,000. Offsets are decimal numbers. */
  readonly letters: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[]
  readonly edits: readonly ReplayEdit[]
  /** Convert, and show what would be written. */
  readonly dryRun: boolean
  /** Write records although a later one of their key was written. */
  readonly force: boolean
  /** In place of the topic that the record would get; null: none. */
  readonly targetTopic: string | null
}

/** What became of one letter. `later`: nothing, since the task ended meanwhile, or an outage is on: to be tried again. */
export type ReplayOutcome =
  | { readonly outcome: 'written'; readonly topic: string; readonly partition: number; readonly offset: string }
  | { readonly outcome: 'would-write'; readonly record: ReplayedRecord }
  | { readonly outcome: 'filtered' | 'superseded' }
  /** `gone`: the letter is no longer in Kafka. */
  | { readonly outcome: 'failed' | 'gone' | 'later'; readonly type: ErrorType; readonly message: string }

/** As in the answer of a preview: text where the bytes are UTF-8, else base64. */
export interface ReplayedRecord {
  readonly topic: string
  readonly partition: number | null
  readonly key: ShownBytes
  readonly value: ShownBytes
  readonly headers: readonly { readonly name: string; readonly value: ShownBytes }[]
  readonly timestamp: number
}
export type ShownBytes = { readonly text: string } | { readonly base64: string } | null

/** The outcomes in the order of `letters`. 404: the connector has no task in this worker; 409 with `message`: its tasks do not run. */
export interface ReplayAnswer {
  readonly outcomes: readonly ReplayOutcome[]
}

/** SHA-256 of a stored configuration, whatever the order of its keys, in hexadecimal digits. */
export function configDigest(config: Readonly<Record<string, string>>): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex')
}
