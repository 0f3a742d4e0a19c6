import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './cache-folder.ts'
import { HarnessError } from './errors.ts'

const run = promisify(execFile)

/**
 * The program of a package of the Go module in `folder`, by default of the module itself. It is built once for its sources,
 * and kept with the other fetched components. Throws HarnessError.
 */
export async function builtGo(folder: URL, packageName = '.'): Promise<string> {
  const cwd = folder.pathname
  const names = (await readdir(cwd)).filter((name) => /\.(go|mod|sum)$/.test(name)).sort()
  const sources = await Promise.all(names.map((name) => readFile(join(cwd, name))))
  const digest = sources.reduce((hash, text) => hash.update(text), createHash('sha256')).digest('hex')
  const kept = join(cacheFolder, `${basename(cwd)}-${digest.slice(0, 12)}`)
  if (existsSync(kept)) return kept
  await mkdir(cacheFolder, { recursive: true })
  const made = `${kept}.${process.pid}`
  try {
    await run('go', ['build', '-o', made, packageName], { cwd })
  } catch (cause) {
    throw new HarnessError(`Go is needed to build ${cwd}, and \`go build\` failed: ${(cause as Error).message}`, {
      cause,
    })
  }
  await rename(made, kept)
  return kept
}
