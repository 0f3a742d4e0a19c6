import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The number of a process's TCP connections to a port (Linux: /proc). */
export function connections(pid: number, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = new Set<string>()
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[2]?.endsWith(suffix) === true) inodes.add(`socket:[${fields[9]}]`)
  }
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(target(`/proc/${pid}/fd/${fd}`))).length
}

function target(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    // Closed since the folder was read.
    return ''
  }
}

/**
 * TCP segments with data that a process has sent to a port, on the connections that are open: at most times a segment
 * is a request. NaN without the program `ss`.
 */
export function segmentsSent(pid: number, port: number): number {
  let text: string
  try {
    text = execFileSync('ss', ['-tinpHO', 'dport', '=', `:${port}`], { encoding: 'utf8', maxBuffer: 64 << 20 })
  } catch {
    return NaN
  }
  let sum = 0
  for (const line of text.split('\n')) {
    if (line.includes(`pid=${pid},`)) sum += Number(/data_segs_out:(\d+)/.exec(line)?.[1] ?? 0)
  }
  return sum
}
