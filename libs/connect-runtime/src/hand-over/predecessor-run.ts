/** The run of a task that a new one follows with overlap: in this process, or on another worker. */
export interface FormerRun {
  /** Whether it cannot keep up at present: what waits in its transport nobody else can read. Absent: not known. */
  behind?(): boolean
  /**
   * Ends it, and resolves once all that it took in is delivered and its offsets are durable, or given up; answers what its
   * `handOver` said. Called once, when the new run has been connected beside it for a while (true), or has tried to be for
   * long enough (false). Rejects with what is to end the new run instead; FormerRunGoesOn is nobody's failure.
   */
  finish(connected: boolean): Promise<string | null>
}

/** The task stays with its former run: the new one ends without a word. */
export class FormerRunGoesOn extends Error {}
