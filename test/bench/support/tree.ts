import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = resolve(import.meta.dirname, '../../..')

/** A checkout of the repository whose services are measured, with `npm ci` done. */
export interface Tree {
  /** The name of its rows: `Tributary`, or `before` for the tree of `--against`. */
  readonly name: string
  readonly folder: string
  /** How that checkout starts its services. */
  readonly flags: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** This checkout and, if `against` names one, another checkout to compare with. */
export async function trees(against: string | undefined): Promise<Tree[]> {
  const folders = { Tributary: ROOT, ...(against === undefined ? {} : { before: resolve(against) }) }
  return await Promise.all(Object.entries(folders).map(([name, folder]) => tree(name, folder)))
}

async function tree(name: string, folder: string): Promise<Tree> {
  const boot = pathToFileURL(`${folder}/libs/service/src/boot.ts`).href
  const { NODE_FLAGS, NODE_ENVIRONMENT } = (await import(boot)) as typeof import('@tributary/service/boot')
  return { name, folder, flags: NODE_FLAGS, environment: NODE_ENVIRONMENT }
}
