import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** CPU time of all threads of a process so far, in µs (Linux: /proc/<pid>/stat). */
export function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND
}

/** Memory of a process now, and its maximum since the start, in bytes (Linux: /proc/<pid>/status). */
export function residentBytes(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}

/** Samples the resident set of a process every 100 ms until stopped. */
export function samplePeakRss(pid: number): { stop(): number } {
  let peak = 0
  const sample = (): void => {
    try {
      peak = Math.max(peak, Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES)
    } catch {
      // The process is gone. The samples taken before still count.
      clearInterval(timer)
    }
  }
  const timer = setInterval(sample, 100)
  sample()
  return {
    stop: () => {
      sample()
      clearInterval(timer)
      return peak
    },
  }
}
