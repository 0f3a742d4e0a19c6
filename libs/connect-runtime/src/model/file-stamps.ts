import { stat } from 'node:fs/promises'
import { abortable } from '@tributary/async'
import type { Props } from '@tributary/connect-api'

/** Time in ms for the files of one configuration, as a folder of the network may hang. */
const TIMEOUT_MS = 5000
const MAX_PATH = 4096

/**
 * What tells whether a file that the configuration names was written since: for each value that is the path of a file, its identity,
 * size and time of change. Certificates, keys and descriptors are such files, under keys that only the source knows.
 */
export async function fileStamps(props: Props): Promise<string> {
  const paths = Object.values(props).filter((value) => value.length < MAX_PATH && /^\.{0,2}\//.test(value))
  const stamps = paths.map(async (path) => {
    const stats = await stat(path, { bigint: true }).catch(() => null)
    return stats?.isFile() === true ? [path, stats.ino, stats.size, stats.mtimeNs].join(' ') : path
  })
  const all = await abortable(Promise.all(stamps), AbortSignal.timeout(TIMEOUT_MS)).catch(() => [])
  return all.join('\n')
}
