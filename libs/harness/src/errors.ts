/** A component is unavailable or does not start. The message is one sentence that says what to do. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError'
}
