/** Prints a table: columns as wide as their widest cell, numbers aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)),
  )
  const widths = head.map((_, column) => Math.max(...text.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[], source: readonly (string | number)[]): string =>
    row.map((c, i) => (typeof source[i] === 'number' ? c.padStart(widths[i]!) : c.padEnd(widths[i]!))).join('  ')
  return text.map((row, i) => line(row, i === 0 ? head : rows[i - 1]!)).join('\n')
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
}
