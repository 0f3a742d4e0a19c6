import { ConfigError, defineErrors, NotConnectedError } from '@tributary/connect-api'

/** Errors of the Server-Sent Events source. */
export const sseErrors = defineErrors({
  SSE_ENDED: { type: NotConnectedError, doc: 'The stream ended, broke off or was silent. The task connects again.' },
  SSE_EVENT_ID: {
    type: ConfigError,
    doc: 'An event has no id that a header can carry, although `sse.require.ids=true`.',
  },
  SSE_EVENT_TOO_LARGE: { type: ConfigError, doc: 'An event is larger than `sse.max.event.bytes`: raise the limit.' },
  SSE_OFFSET: {
    type: ConfigError,
    doc: 'The request to alter offsets does not have the form that this connector writes.',
  },
})
