import { constants, type Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'

export interface ReadFileLimits {
  /** A larger file is refused. Default: 1 MiB. */
  readonly maxBytes?: number
  /** ms after which the read is given up, as for a folder of the network that hangs. Default: 5000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const MAX_BYTES = 1024 * 1024
const TIMEOUT_MS = 5000
const CHUNK_BYTES = 64 * 1024

/**
 * Reads a file that a user names, without danger for the process: a regular file only, so that no device, pipe or socket
 * blocks or goes on for ever, and at most `maxBytes`, whatever size the file claims to have. Links are followed. Rejects with
 * an Error that says why, with Node's `code` where the system refused, and with the signal's reason.
 */
export function readRegularFile(path: string, limits: ReadFileLimits = {}): Promise<Buffer> {
  return inTime(() => read(path, limits.maxBytes ?? MAX_BYTES), limits)
}

/** Gives the work with a file up after `timeoutMs`, or when the signal aborts. The system may go on with it. */
export async function inTime<T>(work: () => Promise<T>, limits: Omit<ReadFileLimits, 'maxBytes'>): Promise<T> {
  const { timeoutMs = TIMEOUT_MS, signal } = limits
  signal?.throwIfAborted()
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  const timer = setTimeout(() => reject(new Error(`it was not read within ${timeoutMs} ms`)), timeoutMs)
  try {
    return await Promise.race([work(), givenUp])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function read(path: string, maxBytes: number): Promise<Buffer> {
  // Checked before the open too: to open a device can change something, such as to rewind a tape.
  mustBeRegular(await stat(path))
  // Without O_NONBLOCK the open of a pipe that took the file's place would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    mustBeRegular(await file.stat())
    const chunks: Buffer[] = []
    let length = 0
    for (;;) {
      // The size that a file claims is no bound: files of /proc claim 0, and a file may grow.
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      if (length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`)
    }
  } finally {
    await file.close()
  }
}

function mustBeRegular(stats: Stats): void {
  if (!stats.isFile()) throw new Error('it is no regular file')
}
