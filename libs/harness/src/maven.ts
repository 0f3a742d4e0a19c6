import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from './cache-folder.ts'
import { HarnessError } from './errors.ts'

const run = promisify(execFile)
const poms = fileURLToPath(new URL('../maven/', import.meta.url))

/**
 * The class path of `maven/<name>.xml`, as javaClassPath returns it, with a check for Java 17. `onFetch` is called before
 * Maven fetches the jars.
 */
export async function classPath(name: string, what: string, orElse = '', onFetch?: () => void): Promise<string> {
  await requireJava(what, orElse)
  return await javaClassPath(join(poms, `${name}.xml`), what, orElse, onFetch)
}

/**
 * The class path of a pom's dependencies. The error text names `what` is missing and an alternative. Maven runs once.
 * The class path is then stored beside the jars of the local repository, so that later calls need neither Maven nor the
 * network. Throws HarnessError.
 */
export async function javaClassPath(
  pom: string,
  what: string,
  orElse = '',
  onFetch: () => void = () => undefined,
): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12)
  const kept = join(cacheFolder, `${basename(pom, '.xml')}-${digest}.classpath`)
  if (existsSync(kept)) {
    const path = await readFile(kept, 'utf8')
    if (path.split(delimiter).every((jar) => existsSync(jar))) return path
  }
  onFetch()
  await mkdir(cacheFolder, { recursive: true })
  const made = `${kept}.${process.pid}`
  await maven(
    ['-f', pom, 'dependency:build-classpath', '-DincludeScope=runtime', `-Dmdep.outputFile=${made}`],
    what,
    orElse,
  )
  const path = (await readFile(made, 'utf8')).trim()
  await writeFile(made, path)
  await rename(made, kept)
  return path
}

/** Fetches one file, `group:artifact:version:type:classifier`, into a folder. Returns its path. Throws HarnessError. */
export async function copyArtifact(artifact: string, folder: string, what: string): Promise<string> {
  await maven(['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`], what, '')
  const [, name, version, type, classifier] = artifact.split(':')
  return join(folder, `${name}-${version}-${classifier}.${type}`)
}

async function maven(args: readonly string[], what: string, orElse: string): Promise<void> {
  try {
    await run('mvn', ['-q', '-B', ...args])
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const help = `install Maven${orElse}.`
      throw new HarnessError(`Maven is needed to fetch ${what} and \`mvn\` was not found: ${help}`, { cause })
    }
    const { stdout: output = '' } = cause as { stdout?: string }
    const reason = /^\[ERROR\]\s*(.+)$/m.exec(output.replaceAll(/\x1b\[[0-9;]*m/g, ''))?.[1] ?? String(cause)
    throw new HarnessError(`Maven could not fetch the jars of ${what}: ${reason}`, { cause })
  }
}

/**
 * Throws unless a Java runtime of version 17 or later is on the PATH. The error text names `what` needs Java, and an
 * alternative.
 */
async function requireJava(what: string, orElse = ''): Promise<void> {
  const help = `install a Java 17 or newer runtime${orElse}.`
  const version = await javaVersion()
  if (version === 0) throw new HarnessError(`Java is needed to run ${what} and \`java\` was not found: ${help}`)
  if (version < 17) throw new HarnessError(`Java ${version} is too old to run ${what}: ${help}`)
}

/** The version of the Java runtime on the PATH, such as 17; 0: there is none. */
export async function javaVersion(): Promise<number> {
  try {
    const { stderr } = await run('java', ['-version'])
    // Matches "17.0.15" and "21", and "1.8.0_402" of versions before 9.
    return Number(/version "(?:1\.)?(\d+)/.exec(stderr)?.[1] ?? 0)
  } catch {
    return 0 // no program of this name, or none that runs
  }
}
