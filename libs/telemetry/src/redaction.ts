import { MIN_INDEXED_LENGTH, TextIndex } from './text-index.ts'

/** Hides secrets in a text. @tributary/config has an implementation. */
export interface Redactor {
  (text: string): string
  /**
   * Every text that the redactor replaces by `[hidden]`. Absent: the texts are unknown, and the redactor is called for
   * each line.
   */
  readonly forms?: readonly string[]
}

const HIDDEN = '[hidden]'
const hidden = new TextIndex()
const others = new Set<Redactor>()

/**
 * Passes every line of every logger of this process through `redactor`, until the returned function is called. The
 * whole process is covered, because a library's error may carry a task's secret into any logger. The cost of a line
 * does not depend on the number of redactors with `forms`, because a worker may have a thousand tasks.
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
