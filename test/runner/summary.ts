import type { FileTime, StageResult } from './stage.ts'

const SLOWEST = 10
const LARGEST_GAPS = 5

/**
 * The report at the end of a run: the stages with their times, the slowest test files, the files that spend most time
 * outside their tests, the skipped tests, and the failures. The last line contains only the totals, so that a script
 * can read it.
 *
 * @param runMs the time of the whole run, including the time between stages, such as the start of Kafka.
 */
export function summary(
  results: readonly StageResult[],
  skips: Readonly<Record<string, string>>,
  runMs: number,
): string {
  const rows = [
    ['stage', 'passed', 'failed', 'skipped', 'seconds', 'busy'],
    ...results.map(({ name, passed, failed, skipped, durationMs, busy }) => [
      name,
      String(passed),
      String(failed),
      String(skipped.length),
      seconds(durationMs),
      busy === null ? '' : `${Math.round(busy * 100)} %`,
    ]),
  ]
  const stagesMs = results.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const files = results.flatMap(({ files }) => files)
  const skipped = results.flatMap((result) => result.skipped)
  const skipTable = skipped.map((name) => `  ${name}: ${skips[name] ?? 'NOT IN test/skips.ts'}`)
  const problems = results.flatMap(({ name, problems }) => problems.map((problem) => `  ${name}: ${problem}`))
  const total = (count: (result: StageResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0)
  return [
    '',
    ...table(rows),
    `${seconds(runMs)} s in all, ${seconds(Math.max(0, runMs - stagesMs))} s of them between the stages`,
    ...slowest(files),
    ...largestGaps(files),
    ...titled('skipped, and why', skipTable),
    ...titled('failed', problems),
    '',
    `${total(({ passed }) => passed)} passed, ${total(({ failed }) => failed)} failed, ${skipped.length} skipped`,
  ].join('\n')
}

function slowest(files: readonly FileTime[]): string[] {
  const most = files.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST)
  const rows = most.map(({ file, durationMs }) => `  ${seconds(durationMs).padStart(6)} s  ${file}`)
  return rows.length === 0 ? [] : ['', 'slowest files:', ...rows]
}

function largestGaps(files: readonly FileTime[]): string[] {
  const most = files.toSorted((a, b) => b.outsideTestsMs - a.outsideTestsMs).slice(0, LARGEST_GAPS)
  const rows = most.map(
    ({ file, durationMs, outsideTestsMs }) =>
      `  ${seconds(outsideTestsMs).padStart(6)} of ${seconds(durationMs)} s  ${file}`,
  )
  return rows.length === 0 ? [] : ['', 'most time outside their tests (imports, hooks, start and end):', ...rows]
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
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
