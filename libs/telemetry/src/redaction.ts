type Redactor = (text: string) => string

const redactors = new Set<Redactor>()

/**
 * Passes every line of every logger of this process through `redactor` (one of @tributary/config's) until the answered
 * function is called. For the whole process, as a library's error may carry a task's secret into any logger.
 */
export function redactLogs(redactor: Redactor): () => void {
  redactors.add(redactor)
  return () => redactors.delete(redactor)
}

export function redact(line: string): string {
  let text = line
  for (const redactor of redactors) text = redactor(text)
  return text
}
