import type { IncomingHttpHeaders } from 'node:http2'
import { LEN, VARINT, WireReader } from '../schema/wire/wire.ts'

/** The longest text of all details, in characters. */
const MAX_LENGTH = 500

/** The place of a text in a message: the number of its field, or of a field with messages and the places in these. */
type Place = number | readonly [field: number, places: readonly Place[]]

/** The texts of the details in google/rpc/error_details.proto. Stack traces and links for people are left out. */
const TEXTS: Readonly<Record<string, readonly Place[]>> = {
  ErrorInfo: [1, 2, [3, [1, 2]]],
  DebugInfo: [2],
  QuotaFailure: [[1, [1, 2]]],
  PreconditionFailure: [[1, [1, 2, 3]]],
  BadRequest: [[1, [1, 2]]],
  RequestInfo: [1],
  ResourceInfo: [1, 2, 3, 4],
  LocalizedMessage: [2],
}

/** The fields of a message by number: every length-delimited value, and the last varint. */
interface Fields {
  readonly chunks: ReadonlyMap<number, readonly Uint8Array[]>
  readonly varints: ReadonlyMap<number, bigint>
}

interface Detail {
  /** Full name of the message type. */
  readonly type: string
  readonly fields: Fields
}

export interface StatusDetails {
  /** The details as text; '' without any. */
  readonly text: string
  /** google.rpc.RetryInfo: ms to wait before the next try. */
  readonly retryAfterMs: number | undefined
}

const NONE: StatusDetails = { text: '', retryAfterMs: undefined }

/** Reads `grpc-status-details-bin`, a google.rpc.Status. Details are an extra: malformed ones are as good as none. */
export function statusDetails(trailers: IncomingHttpHeaders): StatusDetails {
  const encoded = trailers['grpc-status-details-bin']
  if (typeof encoded !== 'string') return NONE
  try {
    const details = (fieldsOf(Buffer.from(encoded, 'base64')).chunks.get(3) ?? []).map(detailOf)
    const text = details.map(textOf).join('; ').replaceAll(/\s+/g, ' ').slice(0, MAX_LENGTH)
    return { text, retryAfterMs: details.map(retryDelayMs).find((ms) => ms !== undefined) }
  } catch {
    return NONE
  }
}

/** An Any: `type_url` 1, `value` 2. */
function detailOf(any: Uint8Array): Detail {
  const { chunks } = fieldsOf(any)
  const url = Buffer.from(chunks.get(1)?.at(-1) ?? []).toString()
  const type = url.slice(url.lastIndexOf('/') + 1)
  const known = type.startsWith('google.rpc.')
  return { type, fields: fieldsOf(known ? (chunks.get(2)?.at(-1) ?? new Uint8Array()) : new Uint8Array()) }
}

function textOf(detail: Detail): string {
  const name = detail.type.replace(/^google\.rpc\./, '')
  const ms = retryDelayMs(detail)
  const words = ms === undefined ? textsAt(Object.hasOwn(TEXTS, name) ? TEXTS[name]! : [], detail.fields) : [`${ms} ms`]
  return words.length === 0 ? name : `${name}: ${words.join(' ')}`
}

function textsAt(places: readonly Place[], { chunks }: Fields): string[] {
  return places.flatMap((place) => {
    if (typeof place === 'number') return (chunks.get(place) ?? []).map((chunk) => Buffer.from(chunk).toString())
    return (chunks.get(place[0]) ?? []).flatMap((chunk) => textsAt(place[1], fieldsOf(chunk)))
  })
}

/** RetryInfo: `retry_delay` 1, a Duration with `seconds` 1 and `nanos` 2. */
function retryDelayMs({ type, fields }: Detail): number | undefined {
  const delay = type === 'google.rpc.RetryInfo' ? fields.chunks.get(1)?.at(-1) : undefined
  if (delay === undefined) return undefined
  const { varints } = fieldsOf(delay)
  const seconds = Number(BigInt.asIntN(64, varints.get(1) ?? 0n))
  const nanos = Number(BigInt.asIntN(32, varints.get(2) ?? 0n))
  const ms = seconds * 1000 + Math.ceil(nanos / 1e6)
  return ms > 0 ? ms : undefined
}

function fieldsOf(bytes: Uint8Array): Fields {
  const chunks = new Map<number, Uint8Array[]>()
  const varints = new Map<number, bigint>()
  const reader = new WireReader(bytes)
  while (reader.more) {
    const tag = reader.tag()
    const number = tag >>> 3
    if ((tag & 7) === VARINT) varints.set(number, reader.uint64())
    else if ((tag & 7) === LEN) chunks.set(number, [...(chunks.get(number) ?? []), reader.view()])
    else reader.skip(tag)
  }
  return { chunks, varints }
}
