import { ConfigError, defineErrors, NotConnectedError, RetriableError } from '@tributary/connect-api'

/** Errors of the parts that push sources share. */
export const pushSourceErrors = defineErrors({
  HTTP_CONNECT: {
    type: NotConnectedError,
    doc: 'An HTTP server could not be reached. The cause says why: name, port, TLS. The task connects again.',
  },
  HTTP_DENIED: {
    type: ConfigError,
    doc: 'An HTTP server refused the credentials three times in a row. Correct them, then restart the task.',
  },
  HTTP_NO_CONTENT: {
    type: ConfigError,
    doc: 'An HTTP server answered 204, which forbids reconnecting (WHATWG HTML, section 9.2). Restart the task when there is a stream.',
  },
  HTTP_STATUS: {
    type: NotConnectedError,
    doc: 'An HTTP server answered another status than 200, another media type, or compressed. The task connects again.',
  },
  REQUEST_HEADER: {
    type: ConfigError,
    doc: 'A header of the request has a name or a value that no header may have. The message names the setting.',
  },
  SPILL_UNREADABLE: {
    type: RetriableError,
    doc: 'The disk does not return what was spilled to it; the cause is its error. Nothing is skipped: the spill is read again.',
  },
  TLS_FILE: {
    type: ConfigError,
    doc: 'A PEM file that a TLS setting names cannot be read.',
  },
  TLS_INVALID: {
    type: ConfigError,
    doc: 'The TLS settings do not fit together: not PEM, a wrong password, or a key of another certificate. The message says which.',
  },
})
