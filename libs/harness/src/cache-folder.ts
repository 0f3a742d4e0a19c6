import { fileURLToPath } from 'node:url'

/** The repository's folder for everything that can be fetched again. git ignores it. */
export const cacheFolder = fileURLToPath(new URL('../../../.tributary/cache/', import.meta.url))
