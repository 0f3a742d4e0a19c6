import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './cache-folder.ts'
import { HarnessError } from './errors.ts'
import type { CommandLine } from './kafka-runtime.ts'

const run = promisify(execFile)

/** Packages from PyPI that see each other and no other packages. */
export interface PythonPackages {
  /** Where the packages lie, by the names of their modules. */
  readonly folder: string
  /** A command that the packages install, such as `kc`. */
  command(name: string, args: readonly string[]): CommandLine
  /** A program of ours that imports the packages. */
  program(file: string, args: readonly string[]): CommandLine
}

/**
 * Installs the packages of a requirements file. The file names every package with its exact version, dependencies
 * included, so that pip resolves nothing. The packages are stored with the other fetched components, one folder for
 * each version of Python, so that later calls need no network. Throws HarnessError.
 */
export async function pythonPackages(requirements: string): Promise<PythonPackages> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .update(await pythonVersion())
    .digest('hex')
    .slice(0, 12)
  const kept = join(cacheFolder, `python-${basename(requirements, '.txt')}-${digest}`)
  if (!existsSync(kept)) await install(requirements, kept)
  const python = (args: readonly string[]): CommandLine => ({
    command: 'python3',
    args,
    // Our packages take precedence over those of the machine's Python. A user's own packages are not visible.
    env: { PYTHONPATH: kept, PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1' },
  })
  return {
    folder: kept,
    command: (name, args) => python([join(kept, 'bin', name), ...args]),
    program: (file, args) => python([file, ...args]),
  }
}

/**
 * Installs into a temporary folder that gets its final name when it is complete. When several processes install at
 * once, one of them wins.
 */
async function install(requirements: string, kept: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true })
  const made = `${kept}.${randomUUID()}`
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
  try {
    await run('python3', ['-m', 'pip', 'install', ...quiet, '--no-deps', '--target', made, '-r', requirements])
    await rename(made, kept)
  } catch (cause) {
    await rm(made, { recursive: true, force: true })
    if (existsSync(kept)) return
    const { stderr = '' } = cause as { stderr?: string }
    const reason = /^ERROR:\s*(.+)$/m.exec(stderr)?.[1] ?? (stderr.trim().split('\n').at(-1) || String(cause))
    throw new HarnessError(`pip could not fetch the packages of ${basename(requirements)}: ${reason}`, { cause })
  }
}

/** The platform on which compiled packages depend, such as `linux-x86_64 3.11`. */
async function pythonVersion(): Promise<string> {
  const program = 'import sys, sysconfig; print(sysconfig.get_platform(), "%d.%d" % sys.version_info[:2])'
  try {
    return (await run('python3', ['-c', program])).stdout
  } catch (cause) {
    throw new HarnessError('Python 3 with pip is needed to run the Python clients and `python3` did not answer.', {
      cause,
    })
  }
}
