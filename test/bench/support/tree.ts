import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Boot from '@tributary/service/boot'
import type { Options } from './options.ts'

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

/** The checkout that is measured, this one by default, and one to compare it with. */
export async function trees({ tree = ROOT, against }: Options<string>['folders']): Promise<Tree[]> {
  const folders = { Tributary: resolve(tree), ...(against === undefined ? {} : { before: resolve(against) }) }
  return await Promise.all(Object.entries(folders).map(([name, folder]) => read(name, folder)))
}

async function read(name: string, folder: string): Promise<Tree> {
  const boot = pathToFileURL(`${folder}/libs/service/src/boot.ts`).href
  const { NODE_FLAGS, NODE_ENVIRONMENT, compileCacheIn } = (await import(boot)) as Partial<typeof Boot>
  // An older checkout has the folder of the cache in its environment already.
  const environment = { ...compileCacheIn?.(join(folder, '.tributary')), ...NODE_ENVIRONMENT }
  return { name, folder, flags: NODE_FLAGS ?? [], environment }
}
