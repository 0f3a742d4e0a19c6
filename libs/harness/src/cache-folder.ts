import { fileURLToPath } from 'node:url'

/** The repository's own folder for what can be fetched again; git ignores it. */
export const cacheFolder = fileURLToPath(new URL('../../../.tributary/cache/', import.meta.url))
