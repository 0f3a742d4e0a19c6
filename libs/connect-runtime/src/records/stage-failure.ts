import type { Stage } from './failed-record.ts'

/** What one stage of a record threw (`cause`). `className`: the class that threw. */
export class StageFailure extends Error {
  readonly stage: Stage
  readonly className: string
  constructor(stage: Stage, className: string, cause: unknown) {
    super(`${stage} failed`, { cause })
    this.stage = stage
    this.className = className
  }
}

/** A record that fails the task. The records before it in the batch are good. `index`: its place in the batch, from 0. */
export class BadRecordError extends Error {
  readonly index: number
  constructor(index: number, cause: unknown) {
    super(`record ${index} of the batch is bad`, { cause })
    this.index = index
  }
}
