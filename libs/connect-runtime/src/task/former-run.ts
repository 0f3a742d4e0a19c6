/** The run of a task that a new one follows with overlap: in this process, or on another worker. */
export interface FormerRun {
  /**
   * Ends it, and resolves once all that it took in is delivered and its offsets are durable, or given up; answers what its
   * `handOver` said. Called once, when the new run is connected, or has tried to be for long enough.
   */
  finish(): Promise<string | null>
}
