import { ConfigError, type OffsetEntry, type Props } from '@tributary/connect-api'
import { sequenceNumber } from '@tributary/push-source'
import { parseConfig, urlsOf } from './settings.ts'
import type { WebSocketConfig } from './spec.ts'

/**
 * Throws ConfigError for offsets that no task of the connector could have written. One of a URL that is configured no more can
 * be deleted only.
 */
export function checkOffsets(props: Props, offsets: readonly OffsetEntry[]): void {
  const config = parseConfig(props)
  const urls = urlsOf(props)
  for (const { partition, offset } of offsets) {
    const { websocket_url: url, stream } = partition
    if (!isText(url)) throw invalid('a source partition has the field websocket_url')
    if (stream !== undefined && !isText(stream)) throw invalid('stream must be a string')
    if (offset === null) continue
    if (!urls.includes(url)) throw invalid('websocket_url is none of the URLs that this connector reads')
    if (stream !== undefined && !config['sequence.key.field']) {
      throw invalid('stream needs sequence.key.field in the configuration')
    }
    checkOffset(offset, config)
  }
}

function checkOffset(offset: NonNullable<OffsetEntry['offset']>, config: WebSocketConfig): void {
  const { session_id: session, sequence, stream_sequence: number } = offset
  if (isSet(session) && !isText(session)) throw invalid('session_id must be a string')
  if (isSet(sequence) && !(Number.isSafeInteger(sequence) && Number(sequence) >= 0)) {
    throw invalid('sequence must be a whole number from 0')
  }
  if (!isSet(number)) return
  if (!config['sequence.field']) throw invalid('stream_sequence needs sequence.field in the configuration')
  if (typeof number === 'string' || sequenceNumber(number) === null) {
    throw invalid('stream_sequence must be a whole number')
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null
}

function invalid(reason: string): ConfigError {
  return new ConfigError('WEBSOCKET_OFFSET', `Invalid offset for a WebSocket source: ${reason}`)
}
