/** A component cannot be had or does not start; the message is one sentence that says what to do. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError'
}
