import { enableCompileCache } from 'node:module'

/**
 * Loads a service's modules with Node's compile cache on, which from the second start on saves most of the time that
 * their compilation takes. The whole of a `main.ts`: `await boot(() => import('./service.ts'))`. The import must be a
 * dynamic one: static imports are compiled before the first line of the importing module runs.
 */
export async function boot(load: () => Promise<unknown>): Promise<void> {
  enableCompileCache()
  await load()
}
