import {
  type DeadLetter,
  type Header,
  letterHeader,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  redelivered,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import { recordHeaderNames } from '../config/metadata.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { takeBytes } from '../schema/index.ts'
import type { Decoder } from './decoder.ts'
import { keySchemaOf } from './record-builder.ts'

/**
 * The record of a dead letter's message, as a stream would give it now; null: the message is skipped. Resume values and sequence
 * numbers have no part in it. Throws DataError.
 */
export function redeliver(
  letter: DeadLetter,
  decoder: Decoder,
  { config, sourcePartition }: { readonly config: GrpcConfig; readonly sourcePartition: SourcePartition },
): SourceRecord | null {
  const { json, struct, skips, key: readKey, timestamp: readTimestamp, unknownTypes } = decoder
  const message = Buffer.from(letter.value ?? [])
  const end = message.length
  const knewAll = unknownTypes.size === 0
  try {
    if (skips?.(message, 0, end)) return null
    const key = readKey === null ? null : readKey(message, 0, end)
    const timestamp = readTimestamp === null ? null : (readTimestamp(message, 0, end) ?? letter.timestamp)
    const text = json === null ? null : takeBytes(json(message, 0, end, 0)).toString()
    const record: SourceRecord = {
      sourcePartition,
      sourceOffset: {},
      topic: config['kafka.topic'],
      partition: undefined,
      key,
      keySchema: keySchemaOf(key),
      value: struct === null ? (text ?? message) : struct.read(message, 0, end),
      valueSchema: struct?.schema ?? (text === null ? OPTIONAL_BYTES_SCHEMA : OPTIONAL_STRING_SCHEMA),
      headers: headersOf(letter, config),
      timestamp,
      original: message,
      originalIsText: false,
    }
    return redelivered(record, letter)
  } finally {
    // The messages of the stream must not wait for a type that only the letter names.
    if (knewAll) unknownTypes.clear()
  }
}

/** Those headers of the response that the configuration wants now, as far as the letter has them. */
function headersOf(letter: DeadLetter, config: GrpcConfig): readonly Header[] | undefined {
  const names = recordHeaderNames(config['grpc.response.headers'])
  const headers = letter.headers.flatMap((header): Header[] => {
    if (!names.has(header.name)) return []
    return header.name.endsWith('-bin') ? [header] : [{ name: header.name, value: letterHeader({ headers: [header] }, header.name) }] // prettier-ignore
  })
  return headers.length > 0 ? headers : undefined
}
