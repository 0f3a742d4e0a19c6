import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { TaskId } from './task.ts'

/** Most bytes of a name in a folder (NAME_MAX of Linux, macOS and Windows). */
const MAX_BYTES = 255
const DIGEST_DIGITS = 32

/**
 * `<dataDir>/<connector>/<task>`. The connector's name is percent-encoded, since it may hold any character. A name that is
 * too long for a folder is cut, and its digest follows.
 */
export function taskFolder(dataDir: string, { connector, task }: TaskId): string {
  return join(dataDir, folderName(connector), String(task))
}

/**
 * The connector's name of a folder; null for a folder that `taskFolder` does not make. `known`: connectors, among which the
 * name of a digest is found. A digest that belongs to none of them stands for its name.
 */
export function connectorOfFolder(folder: string, known: Iterable<string>): string | null {
  if (LONG.test(folder)) {
    for (const connector of known)
      if (connector.length * 9 > MAX_BYTES && folderName(connector) === folder) return connector
    return folder
  }
  try {
    return decodeURIComponent(folder)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

/** A `%` before a dash is no part of an encoded name. */
const LONG = new RegExp(`%-[0-9a-f]{${DIGEST_DIGITS}}$`)

function folderName(connector: string): string {
  // encodeURIComponent leaves dots as they are, and `..` is the parent folder.
  const encoded = encodeURIComponent(connector).replace(/^\./, '%2E').replaceAll('*', '%2A')
  if (encoded.length <= MAX_BYTES) return encoded
  const digest = createHash('sha256').update(connector).digest('hex').slice(0, DIGEST_DIGITS)
  return `${encoded.slice(0, MAX_BYTES - DIGEST_DIGITS - 2)}%-${digest}`
}
