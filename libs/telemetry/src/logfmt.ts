import type { LogFields, LogLevel } from './logger.ts'

/** Longer values are cut, because a log is no place for a payload and a line must stay readable. */
const MAX_VALUE_LENGTH = 4096
/** The number of causes that are followed. A longer chain is a loop, or no help. */
const MAX_CAUSES = 10

export interface LogLine {
  /** ms since the epoch. */
  readonly time: number
  readonly level: LogLevel
  readonly name: string
  readonly event: string
  readonly fields: LogFields
}

/**
 * Formats `2026-01-02T03:04:05.678Z INFO io.tributary.x event=name key=value` and a line end. A value is quoted when it
 * is empty or contains a space, `=`, a quote or a control character. An Error is written as its message, its code and
 * the messages of its causes. At level error its stack follows on lines of its own, because operators use `grep -A`.
 */
export function formatLine({ time, level, name, event, fields }: LogLine): string {
  let line = `${new Date(time).toISOString()} ${level.toUpperCase().padEnd(5)} ${name} event=${formatValue(event)}`
  let trace = ''
  for (const key in fields) {
    const value = fields[key]
    if (value === undefined) continue
    const safeKey = formatKey(key)
    if (value instanceof Error) {
      line += formatError(safeKey, value)
      if (level === 'error' || level === 'fatal') trace += formatTrace(value)
    } else {
      line += ` ${safeKey}=${formatValue(value)}`
    }
  }
  return `${line}\n${trace}`
}

function formatKey(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : key.replaceAll(/[^\w.-]/g, '_')
}

function formatValue(value: unknown): string {
  const text = textOf(value)
  const cut = text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
  // Quoting matters for safety: a control character in a value could forge a line.
  return cut !== '' && !/[\s="\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(cut) ? cut : quote(cut)
}

function quote(text: string): string {
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, escape)
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : objectText(value)
    default:
      return `<${typeof value}>`
  }
}

function objectText(value: object): string {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  if (value instanceof Error) return value.message
  try {
    const text = JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) as
      string | undefined
    // Some objects have a string as their JSON, such as a secret's `[hidden]`. That string needs no second pair of
    // quotes.
    return text === undefined ? '<object>' : text.startsWith('"') ? (JSON.parse(text) as string) : text
  } catch (error) {
    return `<unprintable: ${error instanceof Error ? error.message : 'error'}>`
  }
}

function formatError(key: string, error: Error): string {
  const code = codeOf(error)
  const causes = chainOf(error).slice(1).map(headOf)
  const first = ` ${key}=${formatValue(error.message || error.name)}`
  return (
    first +
    (code === null ? '' : ` ${key}_code=${formatValue(code)}`) +
    (causes.length > 0 ? ` ${key}_cause=${formatValue(causes.join(' <- '))}` : '')
  )
}

/** Name, message and stack of an error and of all its causes, each line indented by a tab. */
function formatTrace(error: Error): string {
  return chainOf(error)
    .map((each, at) => {
      const stack = each instanceof Error ? (each.stack ?? '').split('\n').filter((l) => /^\s+at /.test(l)) : []
      const head = `${at > 0 ? 'Caused by: ' : ''}${headOf(each)}`.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')
      return [head, ...stack.map((l) => l.trimStart())].map((l, i) => (i === 0 ? `\t${l}\n` : `\t    ${l}\n`)).join('')
    })
    .join('')
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = []
  for (let each = error; each !== undefined && each !== null && chain.length < MAX_CAUSES;) {
    if (chain.includes(each)) break
    chain.push(each)
    each = each instanceof Error ? each.cause : undefined
  }
  return chain
}

function headOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error)
  const code = codeOf(error)
  return `${error.name}${code === null ? '' : ` [${code}]`}: ${error.message}`
}

/** The `code` of our errors and of Node's (`ECONNREFUSED`). */
function codeOf(error: Error): string | null {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' || typeof code === 'number' ? String(code) : null
}
