import { stringifyJson } from '@tributary/config'
import { stringify } from 'yaml'

export const FORMATS = ['table', 'json', 'yaml', 'name'] as const
export type Format = (typeof FORMATS)[number]

/** One result of a command, in every form. */
export interface Shown {
  /** For json and yaml. */
  readonly value: unknown
  /** For `name`, one a line. */
  readonly names: readonly string[]
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** What a table of no rows says instead. */
  readonly none?: string
}

export type Cell = string | number | bigint | boolean | null | undefined

/** Where a command writes. */
export interface Streams {
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const COLOURS: Readonly<Record<string, number>> = {
  ...{ RUNNING: 32, FAILED: 31, PAUSED: 33, STOPPED: 33, UNASSIGNED: 33, RESTARTING: 33 },
  ...{ healthy: 32, unhealthy: 31, degraded: 33, completed: 32, failed: 31, partially_completed: 33, cancelled: 33 },
  ...{ UNRESOLVED: 31, IN_PROGRESS: 33, RESOLVED: 32, QUARANTINED: 31 },
}
const GAP = '  '

export class Output {
  readonly #streams: Streams
  readonly format: Format

  constructor(streams: Streams, format: Format) {
    this.#streams = streams
    this.format = format
  }

  show(shown: Shown): void {
    if (this.format === 'name') return this.line(shown.names.map(clean).join('\n'))
    if (this.format !== 'table') return this.data(shown.value)
    if (shown.rows.length === 0 && shown.none !== undefined) return this.note(shown.none)
    this.line(table(shown.columns, shown.rows, this.#width()).map((line) => this.#painted(line)).join('\n')) // prettier-ignore
  }

  /** As JSON or YAML: YAML also where the format is table or name. */
  data(value: unknown): void {
    if (this.format === 'json') this.line(stringifyJson(value, 2))
    else this.#write(stringify(value, { lineWidth: 0 }))
  }

  /** YAML documents that follow each other. */
  documents(values: readonly unknown[]): void {
    this.#write(values.map((value) => stringify(value, { lineWidth: 0 })).join('---\n'))
  }

  /** One line of JSON, for values that follow each other. */
  jsonLine(value: unknown): void {
    this.line(stringifyJson(value))
  }

  line(text: string): void {
    if (text !== '') this.#write(`${text}\n`)
  }

  /** For people, beside the result: to stderr. */
  note(text: string): void {
    this.#streams.stderr.write(`${lines(text)}\n`)
  }

  /** What a command has done: to stdout, and only where the format is for people. */
  done(text: string, colour?: number): void {
    if (this.format !== 'table') return
    this.line(colour === undefined ? lines(text) : this.colour(lines(text), colour))
  }

  colour(text: string, code: number): string {
    const { stdout, env } = this.#streams
    return stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb' ? `\x1b[${code}m${text}\x1b[0m` : text
  }

  #painted(line: string): string {
    return line.replaceAll(/\b[A-Za-z_]+\b/g, (word) => {
      const code = Object.hasOwn(COLOURS, word) ? COLOURS[word] : undefined
      return code === undefined ? word : this.colour(word, code)
    })
  }

  /** Characters of a line; Infinity where no person reads. */
  #width(): number {
    const { stdout } = this.#streams
    return stdout.isTTY === true && stdout.columns !== undefined && stdout.columns > 0 ? stdout.columns : Infinity
  }

  #write(text: string): void {
    this.#streams.stdout.write(text)
  }
}

/**
 * The lines of a table. One that is wider than `width` has its widest columns cut, with `…`, to no less than their heads and 8
 * characters.
 */
export function table(columns: readonly string[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const cells = [columns, ...rows.map((row) => row.map(textOf))]
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)))
  const least = columns.map((head) => Math.max(head.length, 8))
  let over = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width
  while (over > 0) {
    const spare = widths.map((each, i) => each - least[i]!)
    const widest = spare.indexOf(Math.max(...spare))
    if (spare[widest]! <= 0) break
    const cut = Math.min(over, spare[widest]!)
    widths[widest] = widths[widest]! - cut
    over -= cut
  }
  return cells.map((row) => row.map((cell, i) => fitted(cell, widths[i]!)).join(GAP).trimEnd()) // prettier-ignore
}

function fitted(cell: string, width: number): string {
  return cell.length > width ? `${cell.slice(0, Math.max(width - 1, 0))}…` : cell.padEnd(width)
}

function textOf(cell: Cell): string {
  return cell === null || cell === undefined || cell === '' ? '-' : clean(String(cell))
}

/** Text of others on one line, without what a terminal would obey. */
export function clean(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').replaceAll(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/** The same, on the lines that it has. */
export function lines(text: string): string {
  return text.split('\n').map((line) => clean(line.replace(/\r$/, '').replaceAll('\t', '    '))).join('\n') // prettier-ignore
}
