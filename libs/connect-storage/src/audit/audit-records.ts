import { isObject, toJson } from '../connect-json.ts'
import { boundedJson } from '../schema/checks.ts'
import type { AuditChange, AuditEntry } from '../types.ts'

/** A record above this, in bytes, is shortened. Kafka takes 1 MB by default. */
const MAX_BYTES = 256 << 10
/** To so many characters are long texts of a large record cut. */
const CUT = 500

/** The value of an audit record: the entry as JSON. */
export function auditRecord(entry: AuditEntry): Buffer {
  for (const each of [entry, shortened(entry), { ...shortened(entry), changes: [], shortened: true }]) {
    const bytes = Buffer.from(toJson(each))
    if (bytes.length <= MAX_BYTES) return bytes
  }
  throw new Error('the entry is too large for the audit topic')
}

/** Reads an audit record. Throws for anything else, which a foreign writer may have put into the topic. */
export function readAuditRecord(bytes: Uint8Array): AuditEntry {
  if (bytes.length > 2 * MAX_BYTES) throw new Error('the value is too large')
  const value = boundedJson(bytes)
  if (!isObject(value)) throw new Error('the value is no object')
  const { time, status, outcome, connector, changes = [], count = 1, shortened: cut } = value
  const text = (name: string): string => {
    const field = value[name]
    if (typeof field !== 'string') throw new Error(`${name} is no text`)
    return field
  }
  const optional = (name: 'about' | 'error' | 'forwarded_for' | 'via'): Partial<AuditEntry> =>
    value[name] === undefined || value[name] === null ? {} : { [name]: text(name) }
  if (!isTime(time)) throw new Error('time is no time')
  if (!Number.isInteger(status) || !Number.isInteger(count)) throw new Error('status or count is no integer')
  if (outcome !== 'done' && outcome !== 'denied' && outcome !== 'failed') throw new Error('outcome is unknown')
  return {
    ...{ id: text('id'), time, who: text('who'), action: text('action'), path: text('path') },
    ...{ connector: connector === null ? null : text('connector'), address: text('address'), replica: text('replica') },
    ...{ status: status as number, outcome, count: count as number, changes: changesOf(changes) },
    ...optional('about'),
    ...optional('error'),
    ...optional('forwarded_for'),
    ...optional('via'),
    ...(cut === true && { shortened: true }),
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 8.64e15
}

function changesOf(value: unknown): AuditChange[] {
  if (!Array.isArray(value)) throw new Error('changes are no list')
  return value.map((change: unknown) => {
    if (!isObject(change) || typeof change['connector'] !== 'string') throw new Error('a change is of no connector')
    return { connector: change['connector'], before: textsOf(change['before']), after: textsOf(change['after']) }
  })
}

function textsOf(value: unknown): AuditChange['before'] {
  if (value === null) return null
  if (!isObject(value) || !Object.values(value).every((each) => typeof each === 'string'))
    throw new Error('a configuration is no map of texts')
  return value as AuditChange['before']
}

function shortened(entry: AuditEntry): AuditEntry {
  const short = (text: string): string =>
    text.length > CUT ? `${text.slice(0, CUT)}… (${text.length} characters)` : text
  const map = (config: AuditChange['before']): AuditChange['before'] =>
    config && Object.fromEntries(Object.entries(config).map(([key, value]) => [short(key), short(value)]))
  return {
    ...entry,
    ...{ who: short(entry.who), path: short(entry.path), connector: entry.connector && short(entry.connector) },
    ...(entry.about !== undefined && { about: short(entry.about) }),
    ...(entry.error !== undefined && { error: short(entry.error) }),
    changes: entry.changes.slice(0, 100).map(({ connector, before, after }) => {
      return { connector: short(connector), before: map(before), after: map(after) }
    }),
    shortened: true,
  }
}
