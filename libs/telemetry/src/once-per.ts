/** The number of remembered keys. Above it the oldest key is forgotten, which may cost one line too many. */
const MAX_KEYS = 1000

/**
 * Limits a log line to one in `intervalMs` for each key. Returns null when the line must be left out, else how many
 * lines were left out since the last one: `const left = limit(topic); if (left !== null) log.warn('…', { suppressed:
 * left })`. `now` gives ms, monotonic.
 */
export function oncePer(
  intervalMs: number,
  now: () => number = () => performance.now(),
): (key?: string) => number | null {
  const seen = new Map<string, { at: number; suppressed: number }>()
  return (key = '') => {
    const last = seen.get(key)
    const time = now()
    if (last && time - last.at < intervalMs) {
      last.suppressed++
      return null
    }
    if (!last && seen.size >= MAX_KEYS) seen.delete(seen.keys().next().value!)
    seen.set(key, { at: time, suppressed: 0 })
    return last?.suppressed ?? 0
  }
}
