import type { Keys } from '@tributary/config'

const group = 'Reconnect'

/** When a connection that ended is made again. */
export const reconnectKeys = {
  'websocket.reconnect.enabled': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group,
    displayName: 'Reconnect',
    doc: 'Whether a connection that ended is opened again. False: the task is FAILED after its first connection.',
  },
  'websocket.reconnect.interval.ms': {
    type: 'long',
    default: 5000,
    importance: 'medium',
    group,
    displayName: 'Interval',
    stripComment: true,
    doc: 'Base of the exponential backoff between tries, in ms; negative counts as 0. The first try after a healthy connection comes within 100 ms.',
  },
  'websocket.reconnect.max.attempts': {
    type: 'int',
    default: -1,
    importance: 'medium',
    group,
    displayName: 'Tries',
    stripComment: true,
    doc: 'Tries in a row without a healthy connection before the task is FAILED; 0 or less: no limit.',
  },
  'websocket.reconnect.backoff.max.ms': {
    type: 'long',
    default: 60_000,
    importance: 'medium',
    group,
    displayName: 'Longest wait',
    stripComment: true,
    doc: 'Longest wait between two tries, in ms; negative counts as 0.',
  },
} as const satisfies Keys
