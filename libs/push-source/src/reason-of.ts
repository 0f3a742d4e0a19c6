/** The reason of a connection error as text. An AggregateError has its reasons in `errors`, an error of OpenSSL in `reason`. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  const { reason } = error as { reason?: unknown }
  if (typeof reason === 'string') return reason
  return error instanceof Error ? error.message : String(error)
}
