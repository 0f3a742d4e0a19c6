import { isUtf8 } from 'node:buffer'
import type { Header, Schema } from '@tributary/connect-api'
import type { MessageAttribute } from '../message.ts'

/** What a message carries on its way: text, or bytes of which nobody has said yet that they are text. */
export type Content = string | Buffer

/** Text if the bytes are UTF-8, or else the bytes. A replacement character would hide that something was lost. */
export function asText(content: Content): Content {
  return typeof content !== 'string' && isUtf8(content) ? content.toString() : content
}

/** What became of the body of a message. */
export interface Converted {
  /** Text, or bytes that are no UTF-8. */
  readonly value: unknown
  /** Absent: that of text, or of bytes. null: none. */
  readonly valueSchema?: Schema | null
  /** Headers before all others. */
  readonly headers?: readonly Header[]
  /** The attributes of the message in place of those that SQS delivered, where an envelope had some. */
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
}

/** Makes data of what the steps leave of a body. Throws, and rejects, as MessageConverter. */
export interface DataMaker {
  make(content: Content, signal: AbortSignal): Converted | Promise<Converted>
}
