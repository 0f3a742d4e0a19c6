import type { Settings } from 'node:http2'
import { reasonOf } from '@tributary/push-source'

/**
 * Bytes of a stream that a server may send before any are read: DEFAULT_FLOW_CONTROL_WINDOW of grpc-java. The default
 * of HTTP/2, 64 KiB, would limit a stream to 64 KiB in each round trip.
 */
export const WINDOW_BYTES = 1024 * 1024
const MIN_WINDOW_BYTES = 64 * 1024

/**
 * The window of a stream whose task may have `fairShare` bytes of the process's memory: while the stream is paused, Node keeps a
 * window full of its messages beside the queue, and nobody counts them.
 */
export function windowBytesFor(fairShare: number): number {
  return Math.floor(Math.min(WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, fairShare / 4)))
}

/** Bytes of metadata in either direction. The server is told (SETTINGS_MAX_HEADER_LIST_SIZE). */
const MAX_METADATA_BYTES = 1024 * 1024

export const METADATA_TOO_LARGE = `the metadata of the request is larger than ${MAX_METADATA_BYTES} bytes; see grpc.metadata`

/** What this client tells its server, beside the window. */
export const SETTINGS: Settings = {
  enablePush: false,
  maxHeaderListSize: MAX_METADATA_BYTES,
}

/** Limits of Node, whose defaults suit a server that strangers call. They would end the streams of a long-lived client. */
export const CLIENT_LIMITS = {
  // In MB. The default, 10, would reset streams whose window is full.
  maxSessionMemory: 1000,
  // The default ends a session after 1,000 frames that Node finds odd, such as empty DATA frames. A session may last for months.
  maxSessionInvalidFrames: 2 ** 32 - 1,
  // Metadata: the defaults are 128 pairs from the server, and 64 KiB to the server.
  maxHeaderListPairs: 10_000,
  maxSendHeaderBlockLength: MAX_METADATA_BYTES,
}

/** The reason of a lost connection in words. Node has no settings for the limits of nghttp2, its HTTP/2 library. */
export function reasonOfHttp2(error: unknown): string {
  const reason = reasonOf(error)
  if ((error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_ERROR') return reason
  return `${reason} (the server broke a rule of HTTP/2, or its metadata exceed 64 KiB in one value or about 128 KiB in all)`
}
