import { Readable } from 'node:stream'
import { stringifyJson } from '@tributary/config'
import { Tail, type TailLine, type TailTerms } from './tail.ts'
import type { Taps } from './taps.ts'

/** Tails at a time. */
const MAX_TAILS = 50
/** Characters that wait for the reader. Beyond, records are left out. */
const MAX_WAITING = 1024 * 1024
/** A line comes at least this often, in ms: a reader knows that the worker is there. */
const QUIET_MS = 1000

/**
 * The records of a connector on this worker, from now on, as lines of JSON (see TailLine). It ends when the reader goes. null: there
 * are as many tails as there may be.
 */
export function tailStream(taps: Taps, connector: string, terms: TailTerms): Readable | null {
  if (taps.count >= MAX_TAILS) return null
  const stream = new Readable({ read() {} })
  let lastAt = performance.now()
  const write = (lines: readonly TailLine[]): void => {
    lastAt = performance.now()
    stream.push(lines.map((line) => `${stringifyJson(line)}\n`).join(''))
  }
  const tail = new Tail(terms, (lines) => {
    write(stream.readableLength <= MAX_WAITING ? lines : lines.filter((line) => !('record' in line)))
  })
  const unwatch = taps.watch(connector, tail)
  const quiet = setInterval(() => {
    if (performance.now() - lastAt >= QUIET_MS) write([{ seen: 0 }])
  }, QUIET_MS).unref()
  stream.once('close', () => {
    clearInterval(quiet)
    unwatch()
    tail.close()
  })
  tail.endWindow()
  if (stream.readableLength === 0) write([{ seen: 0 }])
  return stream
}
