import { join } from 'node:path'
import type { TaskId } from './task.ts'

/** `<dataDir>/<connector>/<task>`; a connector's name may hold anything, so it is percent-encoded. */
export function taskFolder(dataDir: string, { connector, task }: TaskId): string {
  return join(dataDir, folderName(connector), String(task))
}

function folderName(connector: string): string {
  // encodeURIComponent leaves dots, and `..` is another folder.
  return encodeURIComponent(connector).replace(/^\./, '%2E').replaceAll('*', '%2A')
}
