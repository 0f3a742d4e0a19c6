import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { type CommandLine, startChild, temporaryFolder } from '@tributary/harness'
import { until } from './until.ts'

const run = promisify(execFile)
const cache = new URL('../../.tributary/cache/', import.meta.url).pathname

/** A server of another make in a process of its own. */
export interface ForeignServer {
  readonly port: number
  /** What the server has printed so far. */
  output(): Promise<string>
  stop(): Promise<void>
}

/** Starts a server that prints its port as its first line and ends with its standard input. */
export async function startForeignServer({
  command,
  args,
  env,
}: Pick<CommandLine, 'command' | 'args' | 'env'>): Promise<ForeignServer> {
  const folder = temporaryFolder('foreign-server-')
  const logFile = join(folder, 'server.log')
  const child = await startChild({ command, args, logFile, holdStdin: true, ...(env ? { env } : {}) })
  const output = (): Promise<string> => readFile(logFile, 'utf8')
  const port = await until(`the port of ${command}`, async () => {
    const log = await output()
    if (child.exit) throw new Error(`${command} ended: ${log}`)
    return /^(\d+)\n/.exec(log)?.[1]
  })
  return {
    port: Number(port),
    output,
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The program of a Go module in test/fixtures. */
export function builtGoProgram(module: string): Promise<string> {
  return builtGo(new URL(`../fixtures/${module}/`, import.meta.url))
}

/** The program of the Go module in a folder. It is built once for its sources, and kept with the other fetched components. */
export async function builtGo(folder: URL): Promise<string> {
  const cwd = folder.pathname
  const names = (await readdir(cwd)).filter((name) => /\.(go|mod|sum)$/.test(name)).sort()
  const sources = await Promise.all(names.map((name) => readFile(join(cwd, name))))
  const digest = sources.reduce((hash, text) => hash.update(text), createHash('sha256')).digest('hex')
  const kept = join(cache, `${basename(cwd)}-${digest.slice(0, 12)}`)
  if (existsSync(kept)) return kept
  await mkdir(cache, { recursive: true })
  const made = `${kept}.${process.pid}`
  try {
    await run('go', ['build', '-o', made, '.'], { cwd })
  } catch (cause) {
    throw new Error(`Go 1.22 or newer is needed to build ${cwd}, and \`go build\` failed`, { cause })
  }
  await rename(made, kept)
  return kept
}
