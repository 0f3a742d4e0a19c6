/** An error that the user can put right. The message is one sentence and says how. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError'
}
