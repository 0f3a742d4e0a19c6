import { ConfigError, defineErrors, NotConnectedError } from '@tributary/connect-api'

/** Errors of the Server-Sent Events source. */
export const sseErrors = defineErrors({
  SSE_DENIED: { type: ConfigError, doc: 'The server refused the credentials three times in a row.' },
  SSE_ENDED: { type: NotConnectedError, doc: 'The stream ended, broke off or was silent. The task connects again.' },
  SSE_EVENT_ID: {
    type: ConfigError,
    doc: 'An event has no id that a header can carry, although `sse.require.ids=true`.',
  },
  SSE_EVENT_TOO_LARGE: { type: ConfigError, doc: 'An event is larger than `sse.max.event.bytes`: raise the limit.' },
  SSE_NO_CONTENT: { type: ConfigError, doc: 'The server answered 204, which forbids reconnecting; restart the task.' },
  SSE_OFFSET: {
    type: ConfigError,
    doc: 'The request to alter offsets does not have the form that this connector writes.',
  },
  SSE_STATUS: { type: NotConnectedError, doc: 'No 200 with uncompressed text/event-stream. The task connects again.' },
})
