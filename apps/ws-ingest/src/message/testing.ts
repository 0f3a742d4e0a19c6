import { type ConnectionInfo, type DecodeMessage, plainDecode } from './message.ts'
import { MessageRun } from './message-run.ts'
import { oneMessage } from './received-messages.ts'

/** One message as a run, for unit tests. A string is sent as text, bytes as a binary message. */
export function runOf(
  content: string | Buffer,
  connection: ConnectionInfo = { number: 1 },
  receivedAt = 1,
  decode: DecodeMessage = plainDecode,
): MessageRun {
  const received = oneMessage(Buffer.from(content), typeof content !== 'string', true)
  return new MessageRun(received, receivedAt, connection, decode)
}
