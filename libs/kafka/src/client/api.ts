import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** One request of Kafka's protocol in one version, with its answer (https://kafka.apache.org/protocol#protocol_messages). */
export interface Api<Args extends unknown[], Answer> {
  readonly key: number
  readonly version: number
  /** Headers of flexible versions end in tagged fields (KIP-482). */
  readonly flexible: boolean
  write(writer: Writer, ...args: Args): void
  /** Returns answers with error codes too. */
  readonly read: (reader: Reader) => Answer
}

export function flexible<Args extends unknown[], Answer>(
  key: number,
  version: number,
  write: (writer: Writer, ...args: Args) => void,
  read: (reader: Reader) => Answer,
): Api<Args, Answer> {
  return {
    ...{ key, version, flexible: true },
    write: (writer, ...args) => {
      write(writer, ...args)
      writer.appendTaggedFields()
    },
    read: (reader) => {
      const answer = read(reader)
      reader.readTaggedFields()
      return answer
    },
  }
}
