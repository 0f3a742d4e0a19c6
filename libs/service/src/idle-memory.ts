import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const INTERVAL_MS = 2500
/** A process that uses less of one CPU is idle. */
const IDLE_SHARE = 0.01
/** The heap must have grown by this much since the last collection, so that a quiet stream is not interrupted for little. */
const GROWTH_BYTES = 4 * 1024 * 1024

/**
 * Collects garbage when the process is idle. V8 collects only while a process allocates, so after a start, and after a busy
 * time, a quiet process would keep what it no longer needs. The collection takes 30 to 100 ms. Returns a function that
 * ends this.
 */
export function collectWhenIdle(): () => void {
  let cpu = process.cpuUsage()
  let at = performance.now()
  let heapBytes = 0
  const timer = setInterval(() => {
    const spent = process.cpuUsage(cpu)
    const elapsedMs = performance.now() - at
    cpu = process.cpuUsage()
    at += elapsedMs
    const busy = (spent.user + spent.system) / 1000 > elapsedMs * IDLE_SHARE
    if (busy || getHeapStatistics().total_heap_size < heapBytes + GROWTH_BYTES) return
    collectGarbage()
    heapBytes = getHeapStatistics().total_heap_size
    cpu = process.cpuUsage()
  }, INTERVAL_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Collects the whole heap, and gives free pages back to the system. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options: object) => void
  setFlagsFromString('--no-expose-gc')
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
