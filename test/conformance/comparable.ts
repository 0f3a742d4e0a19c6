import type { Answer } from '../support/rest-call.ts'
import { OF_SIDE } from './sides.ts'

/**
 * Removes from an answer what cannot be compared, because it belongs to another program, connector or machine, or has
 * no meaning:
 *
 * - host and port in `Location` and `worker_id`; the side's name in the names of topics
 * - the Content-Type of unmatched requests, which Connect sends only sometimes; the text in which OPTIONS repeats its
 *   Allow header; the HTML page with which Jetty refuses a request that does not reach Connect
 * - the order of the errors of a configuration, of names, of Allow's methods, of offsets, of the settings of a named
 *   converter, and of a Java map or set printed into a message
 * - `commit`, which is that of another program; the versions of converters, which come with the worker
 * - plugins that only one side has, in lists of plugins and in recommended classes
 * - the loggers below root, which Connect names after its own packages
 * - the documentation of all settings except those of the connector, because each side has texts of its own
 * - settings of converters that only Connect has
 * - times and stack traces; only the presence of a stack trace is compared
 */
export function comparable(answer: Answer): Answer {
  const page = jettyPage(answer)
  const body = page ?? answer.body
  const text = messageOf(body)
  const unmatched = page !== null || /^HTTP 4/.test(text) || (answer.status === 404 && body === null)
  return {
    status: answer.status,
    contentType: unmatched || answer.allow !== null ? null : answer.contentType,
    location: answer.location === null ? null : answer.location.replace(/^https?:\/\/[^/]+/, ''),
    allow: answer.allow === null ? null : inOrder(answer.allow),
    body: answer.allow !== null ? null : comparableValue(Array.isArray(body) ? withoutOwnItems(body) : body),
  }
}

/** The plugins that both sides have, besides the connector. */
const SHARED_PLUGINS =
  /^org\.apache\.kafka\.connect\.(file\.FileStreamSourceConnector|(json|storage|converters|transforms)\..*)$/

/** The settings of the file source. */
const OWN_SETTINGS = ['file', 'topic', 'batch.size']

function comparableValue(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparableValue(item))
    if (key === 'offsets') return items.sort(byText)
    if (key === 'configs') return items.sort((a, b) => compareText(behindConverter(a), behindConverter(b)))
    return items.every((item) => typeof item === 'string') ? items.sort() : items
  }
  if (typeof value === 'string') return comparableText(value, key)
  if (typeof value !== 'object' || value === null) return key === 'last_modified' && value !== null ? '<time>' : value
  const { name: setting, class: plugin } = value as { name?: unknown; class?: unknown }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    entries.map(([name, item]) => {
      if (name === 'documentation' && !OWN_SETTINGS.includes(String(setting))) return [name, '<ours>']
      if (name === 'version' && String(plugin).endsWith('Converter')) return [name, '<version>']
      if (name === 'recommended_values') return [name, comparableValue((item as unknown[]).filter(isShared))]
      return [name, comparableValue(item, name)]
    }),
  )
}

function comparableText(text: string, key: string): string {
  if (key === 'worker_id') return '<worker>'
  if (key === 'trace') return '<trace>'
  if (key === 'commit') return '<commit>'
  return text
    .replace(/(?<=^Connector config \{).*(?=\} contains)/, inOrder)
    .replace(/(?<=contains the following \d+ error\(s\):\n)[^]*(?=\nYou can also find)/, linesInOrder)
    .replace(/(?<=one of \(case insensitive\): ).*$/, inOrder)
    .replace(/(?<=\bt-[0-9a-f-]{36}-)(connect|strict|byDefault)\b/g, OF_SIDE)
}

/**
 * The name of a setting of a named converter, so that these settings are sorted behind all others; '' for any other
 * setting.
 */
function behindConverter(item: unknown): string {
  const name = String((item as { value: { name: unknown } }).value.name)
  return name.includes('.converter.') ? name : ''
}

/** The shared plugins of a list of plugins; `root` of a list of loggers. */
function withoutOwnItems(items: readonly unknown[]): unknown[] {
  if (items.every((item) => typeof item === 'object' && item !== null && 'class' in item && 'version' in item)) {
    return items.filter(isSharedPlugin)
  }
  return items.includes('root') ? ['root'] : [...items]
}

function isSharedPlugin(item: unknown): boolean {
  return isShared((item as { class: string }).class)
}

/** Whether `item` is compared: it is a shared class, or no class of Kafka Connect. */
function isShared(item: unknown): boolean {
  return typeof item !== 'string' || !/^(org\.apache\.kafka|io\.)/.test(item) || SHARED_PLUGINS.test(item)
}

function jettyPage({ status, body }: Answer): { error_code: number; message: string } | null {
  if (typeof body !== 'string') return null
  const title = (/<title>Error \d+ (.*)<\/title>/.exec(body) ?? /<pre>reason: (.*)<\/pre>/.exec(body))?.[1]
  return title === undefined ? null : { error_code: status, message: `HTTP ${status} ${title}` }
}

function inOrder(list: string): string {
  return list
    .split(',')
    .map((item) => item.trim())
    .sort()
    .join(', ')
}

function linesInOrder(lines: string): string {
  return lines.split('\n').sort().join('\n')
}

function byText(a: unknown, b: unknown): number {
  return compareText(JSON.stringify(a), JSON.stringify(b))
}

function compareText(a: string, b: string): number {
  return Number(a > b) - Number(a < b)
}

export function messageOf(body: unknown): string {
  return (body as { message?: string } | null)?.message ?? ''
}
