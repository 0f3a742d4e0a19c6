import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { privateFolder } from './private-folder.ts'

/**
 * Node's flags for a service: a young generation of 8 MiB. Without the limit it grows to 128 MiB under load, most of
 * which is uncollected garbage. V8 reads the limit only when the process starts. It is so small that one thread collects
 * it sooner than four that must meet, and one thread beside the main one marks the old generation and compiles.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4', '--no-parallel-scavenge', '--v8-pool-size=1']

/** Node's variables for a service. `compileCacheIn` adds to them. */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = {
  // glibc keeps a heap for each thread otherwise, and gives little of it back.
  MALLOC_ARENA_MAX: process.env['MALLOC_ARENA_MAX'] ?? '2',
}

/** No connector's folder begins with a dot. */
const CACHE = '.compile-cache'

/**
 * The environment that lets Node use a compile cache from the first line on, and also in threads: the folder that this
 * environment names, else one in `dataDir`. From the second start on, no file needs the TypeScript stripper, which takes 24 MiB
 * of a process. Node runs what the cache holds, so the folder must be this user's alone: throws an Error with a sentence otherwise.
 */
export function compileCacheIn(dataDir: string): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: privateFolder(process.env['NODE_COMPILE_CACHE'] || join(dataDir, CACHE)) }
}

/**
 * Loads a service's modules with Node's compile cache, which saves most of the compilation time from the second start
 * on. This call is all of a `main.ts`: `await boot(() => import('./service.ts'))`. The import must be dynamic, because
 * static imports are compiled before the first line of the importing module runs.
 *
 * Files that the service writes are for its user alone. The old generation is collected when it has grown by 40 %, instead
 * of V8's 100 to 300 %. This saves a third of the memory at full speed.
 */
export async function boot(load: () => Promise<unknown>): Promise<void> {
  process.umask(0o077)
  setFlagsFromString('--heap-growing-percent=40')
  useCompileCache()
  await load()
}

function useCompileCache(): void {
  const given = process.env['NODE_COMPILE_CACHE']
  try {
    Object.assign(process.env, compileCacheIn(process.env['TRIBUTARY_DATA_DIR'] || '.tributary'))
    enableCompileCache(process.env['NODE_COMPILE_CACHE'])
  } catch (error) {
    const message = (error as Error).message
    if (given) {
      // Node has read the first files from there already.
      process.stderr.write(`NODE_COMPILE_CACHE: ${message}\n`)
      process.exit(1)
    }
    process.emitWarning(`The service starts without a compile cache, and so more slowly. ${message}`)
  }
}
