import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TaskId } from '../model/task.ts'
import { connectorOfFolder } from '../model/task-folder.ts'

/** A task's folder on this host that is not empty. `bytes`: the size of its files. */
export interface LeftFolder {
  readonly id: TaskId
  readonly dir: string
  readonly bytes: number
}

/**
 * Lists the task folders in `dataDir` that are not empty. Folders that `taskFolder` would not name so are ignored.
 * `connectors`: those that exist.
 */
export async function leftFolders(dataDir: string, connectors: readonly string[]): Promise<LeftFolder[]> {
  const found: LeftFolder[] = []
  for (const connectorName of await entries(dataDir)) {
    const connector = connectorOfFolder(connectorName, connectors)
    if (connector === null) continue
    for (const task of await entries(join(dataDir, connectorName))) {
      if (!/^\d+$/.test(task)) continue
      const dir = join(dataDir, connectorName, task)
      const names = await entries(dir)
      if (names.length > 0) found.push({ id: { connector, task: Number(task) }, dir, bytes: await sizeOf(dir, names) })
    }
  }
  return found
}

/** Returns [] if `dir` does not exist or is not a folder. */
async function entries(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    const code = (error as { code?: unknown }).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  })
}

async function sizeOf(dir: string, names: readonly string[]): Promise<number> {
  let bytes = 0
  for (const name of names) {
    // A task or a recovery task may delete the file meanwhile.
    const found = await stat(join(dir, name)).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ENOENT') return null
      throw error
    })
    bytes += found?.size ?? 0
  }
  return bytes
}
