import type { StageResult } from './stage.ts'

/** The summary of a run; the closing line stands alone, for whoever counts. */
export function summary(results: readonly StageResult[], skips: Readonly<Record<string, string>>): string {
  const rows = [
    ['stage', 'passed', 'failed', 'skipped', 'seconds'],
    ...results.map(({ name, passed, failed, skipped, durationMs }) => [
      name,
      String(passed),
      String(failed),
      String(skipped.length),
      (durationMs / 1000).toFixed(1),
    ]),
  ]
  const skipped = results.flatMap((result) => result.skipped)
  const skipTable = skipped.map((name) => `  ${name}: ${skips[name] ?? 'NOT IN test/skips.ts'}`)
  const problems = results.flatMap(({ name, problems }) => problems.map((problem) => `  ${name}: ${problem}`))
  const total = (count: (result: StageResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0)
  return [
    '',
    ...table(rows),
    ...titled('skipped, and why', skipTable),
    ...titled('failed', problems),
    '',
    `${total(({ passed }) => passed)} passed, ${total(({ failed }) => failed)} failed, ${skipped.length} skipped`,
  ].join('\n')
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? ['', `${title}: none`] : ['', `${title}:`, ...lines]
}

function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
}
