/** The words of a connection error. One that tried several addresses has none of its own; OpenSSL's stand in `reason`. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  const { reason } = error as { reason?: unknown }
  if (typeof reason === 'string') return reason
  return error instanceof Error ? error.message : String(error)
}
