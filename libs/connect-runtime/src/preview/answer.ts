import type { FieldError } from '@tributary/connect-api'
import type { ShownOutput, ShownRecord } from '../records/shown-types.ts'

/** What a preview is asked for. */
export interface PreviewRequest {
  /** The connector whose committed offsets the preview starts from; null: it starts without offsets. */
  readonly connector: string | null
  /** As stored or sent: references are not resolved. */
  readonly config: Readonly<Record<string, string>>
  /** The task of the configuration, from 0. */
  readonly task: number
  /** Most records (1 to 100), and the time for them in s (1 to 10). */
  readonly records: number
  readonly seconds: number
  /** Whether the preview is made although a running connector may be disturbed. */
  readonly force: boolean
}

export interface ShownError {
  /** The stage, as the header `__connect.errors.stage` of a dead letter names it. */
  readonly stage: string
  readonly class: string
  readonly message: string
}

/** What one transformation did. */
export interface ShownStep {
  readonly alias: string
  readonly class: string
  readonly outcome: 'changed' | 'unchanged' | 'filtered' | 'failed'
  /** The record afterwards; only if it was changed. */
  readonly record?: ShownRecord
}

/**
 * What becomes of a record in a real run.
 * - `written`: it goes to Kafka
 * - `filtered`: a transformation leaves it out
 * - `dead_letter`: it is bad, and goes to the dead-letter queue
 * - `skipped`: it is bad, and nothing is left of it
 * - `fails_task`: it is bad, and the task fails
 */
export type RecordOutcome = 'written' | 'filtered' | 'dead_letter' | 'skipped' | 'fails_task'

export interface PreviewRecord {
  readonly outcome: RecordOutcome
  readonly source: { readonly partition: unknown; readonly offset: unknown }
  /** As the source returns it. */
  readonly polled: ShownRecord
  readonly transforms: readonly ShownStep[]
  /** Alias of the transformation that left the record out. */
  readonly filtered_by?: string
  readonly error?: ShownError
  readonly written?: ShownOutput
  readonly dead_letter?: ShownOutput
}

export interface PreviewAnswer {
  readonly class: string
  readonly task: number
  /** Tasks of the configuration. */
  readonly tasks: number
  readonly offsets: 'committed' | 'none'
  /** Why no more records were taken: there are as many as asked for, the time is over, the source ended, or the answer is large. */
  readonly ended: 'records' | 'time' | 'source' | 'size'
  /** One sentence. */
  readonly reason: string
  /** What the preview has changed in the source, in a sentence; null: nothing. */
  readonly source: string | null
  /** What the task warns of, as health shows it; null: nothing. */
  readonly caution: string | null
  /** What a real run would change elsewhere, such as to register a schema, in sentences. */
  readonly notes: readonly string[]
  readonly topics: readonly { readonly name: string; readonly exists: boolean; readonly partitions: number | null }[]
  readonly records: readonly PreviewRecord[]
}

/** What a worker answers. */
export type PreviewOutcome =
  | { readonly preview: PreviewAnswer }
  /** Connectors of this cluster that read the same, and why a preview could disturb them. */
  | { readonly disturbs: { readonly connectors: readonly string[]; readonly why: string } }
  /** The configuration is wrong. */
  | { readonly errors: readonly FieldError[] }
  /** `busy`: the worker makes as many previews as it may. */
  | { readonly failed: 'busy' | 'unreached' | 'slow' | 'bug'; readonly message: string }
