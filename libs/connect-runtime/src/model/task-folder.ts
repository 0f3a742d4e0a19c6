import { join } from 'node:path'
import type { TaskId } from './task.ts'

/** `<dataDir>/<connector>/<task>`. The connector's name is percent-encoded, since it may hold any character. */
export function taskFolder(dataDir: string, { connector, task }: TaskId): string {
  return join(dataDir, folderName(connector), String(task))
}

function folderName(connector: string): string {
  // encodeURIComponent leaves dots as they are, and `..` is the parent folder.
  return encodeURIComponent(connector).replace(/^\./, '%2E').replaceAll('*', '%2A')
}
