import { isUtf8 } from 'node:buffer'
import { Decimal, type Header, type Schema, type SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { ShownBytes, ShownData, ShownOutput, ShownRecord } from './shown-types.ts'

/** Most bytes of a key, a value or a header that are shown. */
const MAX_BYTES = 64 * 1024
/** A secret may stand across the cut: so much more is searched. */
const MARGIN_BYTES = 4096
/** As much of the beginning of some bytes makes no difference to how they are shown. */
export const KEPT_BYTES = MAX_BYTES + MARGIN_BYTES
/** Most values within a value, and most levels of it. */
const MAX_NODES = 2000
const MAX_DEPTH = 32
const MAX_HEADERS = 200

/** Hides secrets in a text. */
export type Redact = (text: string) => string

/**
 * Shows records within bounds, and without the secrets of the configuration. Counts about how long the answer becomes: beyond its limit
 * no value is shown, since one record may have many large headers, and stand behind each of many transforms.
 */
export class Shown {
  /** Characters so far. */
  length = 0
  readonly #redact: Redact
  readonly #limit: number

  /** `limit`: characters of the answer, about. */
  constructor(redact: Redact, limit: number) {
    this.#redact = redact
    this.#limit = limit
  }

  get full(): boolean {
    return this.length >= this.#limit
  }

  record(record: SourceRecord): ShownRecord {
    return {
      topic: this.#name(record.topic),
      partition: record.partition ?? null,
      key: this.data(record.keySchema, record.key),
      value: this.data(record.valueSchema, record.value),
      headers: (record.headers ?? []).slice(0, MAX_HEADERS).map((header) => this.#header(header)),
      timestamp: record.timestamp,
    }
  }

  /** `partition`, `timestamp`: what is known of them before the record is produced. */
  output(record: ProducerRecord, known: Pick<ShownOutput, 'partition' | 'timestamp'>): ShownOutput {
    return {
      topic: this.#name(record.topic),
      partition: known.partition,
      key: this.bytes(record.key),
      value: this.bytes(record.value),
      headers: (record.headers ?? []).slice(0, MAX_HEADERS).map(([name, value]) => {
        return { name: this.#name(name), value: this.bytes(value) }
      }),
      timestamp: known.timestamp,
    }
  }

  /** `size`: of the whole, of which `value` may be the first `KEPT_BYTES`. */
  bytes(value: Uint8Array | null, size = value?.length ?? 0): ShownBytes {
    if (value === null) return null
    if (this.full) return { text: '', size, truncated: true }
    const searched = Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, KEPT_BYTES))
    const text = textOf(searched, size > searched.length)
    const plain = text ?? searched.toString('latin1')
    const redacted = this.#redact(plain)
    const shown = redacted.slice(0, MAX_BYTES)
    const marks = {
      size,
      ...(redacted.length > MAX_BYTES || size > searched.length ? { truncated: true as const } : {}),
      ...(redacted === plain ? {} : { redacted: true as const }),
    }
    this.length += shown.length + 40
    return text === null
      ? { base64: Buffer.from(shown, 'latin1').toString('base64'), ...marks }
      : { text: shown, ...marks }
  }

  data(schema: Schema | null | undefined, value: unknown): ShownData {
    if (this.full) return { schema: null, value: null, truncated: true }
    const walk = new Walk(this.#redact)
    const shown = { schema: walk.schema(schema ?? null, 0), value: walk.value(value, 0) }
    this.length += walk.length
    return {
      ...shown,
      ...(walk.truncated && { truncated: true as const }),
      ...(walk.redacted && { redacted: true as const }),
    }
  }

  /** Partitions and offsets of the source. */
  plain(value: unknown): unknown {
    return this.data(null, value).value
  }

  /** Names of topics and headers may come from a record too. */
  #name(name: string): string {
    if (this.full) return ''
    const shown = this.#redact(name.slice(0, MAX_BYTES + MARGIN_BYTES)).slice(0, MAX_BYTES)
    this.length += shown.length
    return shown
  }

  #header({ name, schema, value }: Header): { readonly name: string } & ShownData {
    return { name: this.#name(name), ...this.data(schema, value) }
  }
}

/** null: the bytes are no UTF-8. `cut`: a character may be cut at their end. */
function textOf(bytes: Buffer, cut: boolean): string | null {
  for (let less = 0; less <= (cut ? 3 : 0); less++) {
    const part = bytes.subarray(0, bytes.length - less)
    if (isUtf8(part)) return part.toString()
  }
  return null
}

/** One value with its schema as JSON. */
class Walk {
  length = 0
  truncated = false
  redacted = false
  #nodes = 0
  readonly #redact: Redact

  constructor(redact: Redact) {
    this.#redact = redact
  }

  value(value: unknown, depth: number): unknown {
    if (!this.#room(depth)) return null
    if (typeof value === 'string') return this.#text(value)
    if (value instanceof Uint8Array) return { base64: this.#base64(value) }
    if (value instanceof Decimal) return this.#text(String(value))
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
    if (value instanceof Map) return { entries: this.#list([...value], depth) }
    if (Array.isArray(value)) return this.#list(value, depth)
    if (typeof value === 'object' && value !== null) return this.#fields(value, depth)
    // JSON has no such numbers.
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    return value === undefined || typeof value === 'function' || typeof value === 'symbol' ? null : value
  }

  schema(schema: Schema | null, depth: number): unknown {
    if (schema === null || !this.#room(depth)) return null
    const { type, optional, name, version, doc, default: fallback, parameters, fields, keySchema, valueSchema } = schema
    return {
      type,
      optional: optional ?? false,
      ...(name !== undefined && { name: this.#text(name) }),
      ...(version !== undefined && { version }),
      ...(doc !== undefined && { doc: this.#text(doc) }),
      ...(fallback !== undefined && { default: this.value(fallback, depth + 1) }),
      ...(parameters !== undefined && { parameters: this.#fields(parameters, depth + 1) }),
      ...(keySchema !== undefined && { keys: this.schema(keySchema, depth + 1) }),
      ...(valueSchema !== undefined && {
        [type === 'array' ? 'items' : 'values']: this.schema(valueSchema, depth + 1),
      }),
      ...(fields !== undefined && {
        fields: fields.map((field) => ({
          field: this.#text(field.name),
          schema: this.schema(field.schema, depth + 1),
        })),
      }),
    }
  }

  #list(values: readonly unknown[], depth: number): unknown[] {
    const kept = values.slice(0, Math.max(0, MAX_NODES - this.#nodes))
    if (kept.length < values.length) this.truncated = true
    return kept.map((value) => this.value(value, depth + 1))
  }

  #fields(value: object, depth: number): Record<string, unknown> {
    const shown: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(value)) {
      if (this.#nodes >= MAX_NODES) {
        this.truncated = true
        break
      }
      const defined = { value: this.value(field, depth + 1), enumerable: true, configurable: true, writable: true }
      // A field may be called __proto__.
      Object.defineProperty(shown, this.#text(name), defined)
    }
    return shown
  }

  #room(depth: number): boolean {
    this.length += 8
    if (++this.#nodes <= MAX_NODES && depth <= MAX_DEPTH && this.length <= 2 * MAX_BYTES) return true
    this.truncated = true
    return false
  }

  #text(text: string): string {
    const searched = text.slice(0, MAX_BYTES + MARGIN_BYTES)
    const redacted = this.#redact(searched)
    if (redacted !== searched) this.redacted = true
    const shown = redacted.slice(0, MAX_BYTES)
    if (searched.length < text.length || shown.length < redacted.length) this.truncated = true
    this.length += shown.length
    return shown
  }

  #base64(bytes: Uint8Array): string {
    const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_BYTES)).toString('latin1')
    if (latin1.length < bytes.length) this.truncated = true
    return Buffer.from(this.#text(latin1), 'latin1').toString('base64')
  }
}
