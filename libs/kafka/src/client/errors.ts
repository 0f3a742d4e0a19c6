/** The connection could not be made, broke, or brought no answer in time. Another try may succeed. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/** The broker refused the login, or could not prove that it knows the password. */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError'
}
