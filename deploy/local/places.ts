import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, isFree } from '@tributary/harness'

export const repository = fileURLToPath(new URL('../../', import.meta.url))

/** The folders and files of the launcher, which only their owner may read. git ignores the default place. */
export interface Places {
  readonly data: string
  /** The folder of the log files, one file for each service. */
  readonly logs: string
  readonly kafka: string
  /** The file that holds the addresses of what runs now, for `npm run topic`. */
  readonly running: string
  /** The folder whose files connectors may refer to. */
  readonly secrets: string
}

export function placesFrom(env: Readonly<Record<string, string | undefined>>): Places {
  const data = resolve(repository, env['TRIBUTARY_DATA_DIR'] ?? '.tributary')
  const at = (name: string): string => join(data, name)
  const places = { data, logs: at('logs'), kafka: at('kafka'), running: at('running.json'), secrets: at('secrets') }
  for (const folder of [data, places.logs, places.kafka, places.secrets]) {
    mkdirSync(folder, { recursive: true })
    // Also for a folder that was there: logs, and the configurations in Kafka, may hold passwords.
    chmodSync(folder, 0o700)
  }
  return places
}

/** @returns the path as the user would type it. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** @returns the path of a service's log file, which does not exist yet. The last run's log is kept as `<name>.log.1`. */
export function freshLog(places: Places, name: string): string {
  const file = join(places.logs, `${name}.log`)
  if (existsSync(file)) renameSync(file, `${file}.1`)
  return file
}

/**
 * @returns the instance id of a service, the same at each start. It holds a digest of the host and the data folder, because
 * launchers with other folders may use the same Kafka.
 */
export function instanceId({ data }: Places, name: string): string {
  const place = createHash('sha256').update(`${hostname()}:${data}`).digest('hex').slice(0, 12)
  return `${name}-${place}`
}

/** @returns the port that `name` had in the last run, if it is free, else a free one, which the next run gets. */
export async function lastPort(places: Places, name: string): Promise<number> {
  const file = join(places.data, `${name}.port`)
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (last > 0 && (await isFree(last))) return last
  const port = await freePort()
  writeFileSync(file, String(port))
  return port
}
