import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'

const WRITABLE_BY_OTHERS = 0o002
const WRITABLE_BY_GROUP = 0o020
const STICKY = 0o1000

/**
 * Creates a folder that only this user may enter, or closes one that is there, and returns its real path. Throws an Error
 * with a sentence when somebody else could put files into it: it is another user's, it is writable by others, or a folder
 * above it is.
 */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const folder = realpathSync(path)
  const { mode } = lstatSync(folder)
  if ((mode & (WRITABLE_BY_GROUP | WRITABLE_BY_OTHERS)) !== 0) throw unsafe(path, `${folder} is writable by others`)
  for (let above = folder, last = ''; above !== last; last = above, above = dirname(above)) refuseForeign(path, above)
  chmodSync(folder, 0o700)
  return folder
}

/** Whoever may rename a folder can put another one in its place. The sticky bit keeps others from that. */
function refuseForeign(path: string, folder: string): void {
  const { uid, mode } = lstatSync(folder)
  const own = process.geteuid?.()
  if (own !== undefined && uid !== own && uid !== 0)
    throw unsafe(path, `${folder} belongs to another user (uid ${uid})`)
  const open = (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0
  if (open) throw unsafe(path, `${folder} is writable by others`)
}

function unsafe(path: string, why: string): Error {
  return new Error(`${path} is not private: ${why}. Make it a folder of mode 0700 that belongs to this user.`)
}
