import { cpus } from 'node:os'

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)),
  )
  const widths = head.map((_, column) => Math.max(3, ...text.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string => `| ${cells.map((c, i) => c.padEnd(widths[i]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(text[0]!), rule, ...text.slice(1).map(line)].join('\n')
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
}

export const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`

export const round = (n: number, digits = 0): number => Number(n.toFixed(digits))

/** The median of several runs and, after more than one, the least and the most: `82,600 (80,100 to 85,800)`. */
export function spread(values: readonly number[], digits = 0): string {
  const sorted = values.toSorted((a, b) => a - b)
  const text = (n: number): string => round(n, digits).toLocaleString('en', { minimumFractionDigits: digits })
  const [least, most] = [text(sorted[0]!), text(sorted.at(-1)!)]
  return least === most ? least : `${text(median(values))} (${least} to ${most})`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
