import { table } from '../output.ts'
import type { OldConnect } from './old-connect.ts'
import type { ConnectorReport, Level } from './report.ts'
import type { Rest } from './rest.ts'

export const VERDICTS: Readonly<Record<Level | 'same', string>> = {
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
  if (reports.length === 0) return `${head}It has no connectors.`
  const rows = reports.map(({ name, class: full, state, verdict }) => [name, short(full), state, VERDICTS[verdict]])
  const details = reports.map(({ name, findings, offsets, verdict }) => {
    const lines = findings.map(({ level, text }) => `  ${MARKS[level]} ${text}`)
    const position = verdict === 'missing' ? [] : [`  > ${offsets}`]
    return [`${name}`, ...lines, ...position].join('\n')
  })
  const legend = '✗ not here   ! check first   ~ different   + better   > its position'
  const overview = table(['CONNECTOR', 'CLASS', 'STATE', 'HERE'], rows, Infinity).join('\n')
  return `${head}\n${overview}\n\n${details.join('\n\n')}\n\n${legend}`
}

function short(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1)
}
