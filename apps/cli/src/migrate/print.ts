import type { Moved } from './move.ts'
import type { OldConnect } from './old-connect.ts'
import type { ConnectorReport, Level } from './report.ts'
import type { Rest } from './rest.ts'

const VERDICTS: Readonly<Record<Level | 'same', string>> = {
  same: 'moves',
  better: 'moves: better',
  different: 'moves: different',
  check: 'check first',
  missing: 'stays',
}

const MARKS: Readonly<Record<Level, string>> = { missing: '✗', check: '!', different: '~', better: '+' }

/** The report for people. */
export function reportText(old: OldConnect, here: Rest, reports: readonly ConnectorReport[]): string {
  const head = `Kafka Connect ${old.version} at ${old.rest.url}, and what its connectors would do at ${here.url}.\n`
  if (reports.length === 0) return `${head}It has no connectors.\n`
  const rows = reports.map(({ name, class: full, state, verdict }) => [name, short(full), state, VERDICTS[verdict]])
  const details = reports.map(({ name, findings, offsets, verdict }) => {
    const lines = findings.map(({ level, text }) => `  ${MARKS[level]} ${text}`)
    const position = verdict === 'missing' ? [] : [`  > ${offsets}`]
    return [`${name}`, ...lines, ...position].join('\n')
  })
  const legend = `✗ not here   ! check first   ~ different   + better   > its position\n`
  return `${head}\n${table(['CONNECTOR', 'CLASS', 'STATE', 'HERE'], rows)}\n${details.join('\n\n')}\n\n${legend}`
}

/** What became of each connector. */
export function movedTable(moved: readonly Moved[]): string {
  const rows = moved.map(({ name, outcome, offsets, left, error }) => {
    return [name, outcome.replace('_', ' '), `${offsets}${left > 0 ? ` (${left} left)` : ''}`, error ?? '']
  })
  return table(['CONNECTOR', 'OUTCOME', 'OFFSETS', 'WHY'], rows)
}

function short(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}
