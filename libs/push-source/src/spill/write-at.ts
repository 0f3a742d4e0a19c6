import type { FileHandle } from 'node:fs/promises'

/** Writes all bytes at byte offset `at` of the file. A file system that is nearly full may take a part, and then reject. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
  }
}
