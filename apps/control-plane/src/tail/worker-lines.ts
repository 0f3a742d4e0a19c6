import { parseJson } from '@tributary/config'
import type { ShownRecord } from '../access/record-mask.ts'
import type { Workers } from '../services/workers.ts'

/** A record as a worker tells it; see libs/connect-runtime/src/tail/tail.ts. */
export interface TailRecord extends ShownRecord {
  readonly topic: string
  readonly partition: number
  readonly source: { readonly partition: unknown; readonly offset: unknown }
}

/** See TailLine there. */
export type WorkerLine =
  | { readonly record: TailRecord }
  | { readonly task: number; readonly run: 'started' | 'ended' }
  | { readonly seen: number }

/** A worker tells something at least each second. After so many ms without, its stream is given up. */
const SILENT_MS = 5000
/** Characters of a line: a record of 64 KiB each of key, value and headers, as JSON. */
const MAX_LINE = 16 * 1024 * 1024

/** Reads what a worker tells of a connector's records until the stream or the signal ends. Rejects when it does not end well. */
export async function readWorkerLines(
  workers: Pick<Workers, 'open'>,
  worker: string,
  path: string,
  onLine: (line: WorkerLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const silent = new AbortController()
  const timer = setTimeout(() => silent.abort(new Error('the worker is silent')), SILENT_MS)
  try {
    const answer = await workers.open(worker, path, AbortSignal.any([signal, silent.signal]))
    let rest = ''
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      timer.refresh()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      if (rest.length > MAX_LINE) throw new Error('the worker sent a line that does not end')
      for (const line of lines) onLine(parseJson(line) as WorkerLine)
    }
  } finally {
    clearTimeout(timer)
  }
}
