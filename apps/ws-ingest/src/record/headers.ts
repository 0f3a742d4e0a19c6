import { type Header, OPTIONAL_STRING_SCHEMA, type Schema } from '@tributary/connect-api'
import type { ConnectionInfo, Frame } from '../frame.ts'

const INT32_SCHEMA: Schema = { type: 'int32' }
const INT64_SCHEMA: Schema = { type: 'int64' }

/** What is known of a message beside itself; the names that `record.headers` takes. */
export interface HeaderValues {
  /** As it may be shown. */
  readonly url: string
  readonly sessionId: string
}

/** Headers of records by `record.headers`; those that a connection's messages share are made once for it. */
export class RecordHeaders {
  readonly #names: readonly string[]
  readonly #values: HeaderValues
  #connection: ConnectionInfo | null = null
  #shared: readonly Header[] = []

  constructor(names: readonly string[], values: HeaderValues) {
    this.#names = names
    this.#values = values
  }

  of({ connection, receivedAt }: Frame): readonly Header[] {
    if (connection !== this.#connection) {
      this.#connection = connection
      this.#shared = this.#sharedBy(connection)
    }
    if (!this.#names.includes('received_at')) return this.#shared
    return [...this.#shared, header('received_at', BigInt(receivedAt), INT64_SCHEMA)]
  }

  #sharedBy({ number }: ConnectionInfo): Header[] {
    const { url, sessionId } = this.#values
    const known = [
      header('url', url, OPTIONAL_STRING_SCHEMA),
      header('session_id', sessionId, OPTIONAL_STRING_SCHEMA),
      header('connection', number, INT32_SCHEMA),
    ]
    return known.filter(({ name }) => this.#names.includes(name.slice(PREFIX.length)))
  }
}

const PREFIX = 'websocket.'

function header(name: string, value: unknown, schema: Schema): Header {
  return { name: `${PREFIX}${name}`, value, schema }
}
