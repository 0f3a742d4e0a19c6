import { MIN_INDEXED_LENGTH, TextIndex } from './text-index.ts'

/** As @tributary/config's: hides secrets in a text. */
export interface Redactor {
  (text: string): string
  /** Every text for which it puts `[hidden]`. Absent: only it knows, and is called for each line. */
  readonly forms?: readonly string[]
}

const HIDDEN = '[hidden]'
const hidden = new TextIndex()
const others = new Set<Redactor>()

/**
 * Passes every line of every logger of this process through `redactor` (one of @tributary/config's) until the answered
 * function is called. For the whole process, as a library's error may carry a task's secret into any logger. A line costs
 * the same however many redactors with `forms` there are: a worker may have a thousand tasks.
 */
export function redactLogs(redactor: Redactor): () => void {
  const { forms } = redactor
  if (forms === undefined || forms.some((form) => form.length < MIN_INDEXED_LENGTH)) {
    others.add(redactor)
    return () => others.delete(redactor)
  }
  for (const form of forms) hidden.add(form)
  let ended = false
  return () => {
    if (!ended) for (const form of forms) hidden.remove(form)
    ended = true
  }
}

export function redact(line: string): string {
  let text = hidden.replaceIn(line, HIDDEN)
  for (const redactor of others) text = redactor(text)
  return text
}
