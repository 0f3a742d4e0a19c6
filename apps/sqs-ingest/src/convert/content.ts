import { isUtf8 } from 'node:buffer'

/** What a message carries on its way: text, or bytes of which nobody has said yet that they are text. */
export type Content = string | Buffer

/** Text if the bytes are UTF-8, or else the bytes. A replacement character would hide that something was lost. */
export function asText(content: Content): Content {
  return typeof content !== 'string' && isUtf8(content) ? content.toString() : content
}
