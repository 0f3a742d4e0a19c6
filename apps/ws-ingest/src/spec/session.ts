import type { Keys } from '@tributary/config'

const group = 'Session'

/** What is said before the feed streams. */
export const sessionKeys = {
  'websocket.subscription.message': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Subscription message',
    width: 'long',
    doc: 'Text sent as one frame as soon as a connection is open, on each reconnect again.',
    example: '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}',
  },
} as const satisfies Keys
