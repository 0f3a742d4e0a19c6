import type { Socket } from 'node:net'

type Written = (error?: Error | null) => void

/**
 * Makes a socket outlive a write that fails. Node would destroy it, and with it all that has arrived and was not read
 * yet, such as what waits behind a pause: a server that sends its last messages and goes, while we answer its ping, would
 * lose them. The end of what can be read tells of the end in any case, after the last byte.
 */
export function keepReading(socket: Socket): void {
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, done: Written) => write(chunk, encoding, () => done())
  const writev = socket._writev?.bind(socket)
  if (writev) socket._writev = (chunks, done: Written) => writev(chunks, () => done())
}
