import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type CommandLine, startChild, temporaryFolder } from '@tributary/harness'
import { until } from './until.ts'

const run = promisify(execFile)
const cache = new URL('../../.tributary/cache/', import.meta.url).pathname

export const fixture = (path: string): string => new URL(`../fixtures/${path}`, import.meta.url).pathname

/** A WebSocket server with the routes of test/fixtures/ws-gorilla/README.md. */
export interface OtherServer {
  readonly port: number
  stop(): Promise<void>
}

/** Go's `github.com/gorilla/websocket`. */
export async function startGoServer(): Promise<OtherServer> {
  return startProgram({ command: await builtGoServer(), args: [] })
}

/** The server is built once for its sources, and kept with the other fetched components. */
async function builtGoServer(): Promise<string> {
  const sources = ['main.go', 'go.mod', 'go.sum'].map((name) => readFile(fixture(`ws-gorilla/${name}`)))
  const digest = (await Promise.all(sources)).reduce((hash, text) => hash.update(text), createHash('sha256'))
  const kept = join(cache, `ws-gorilla-${digest.digest('hex').slice(0, 12)}`)
  if (existsSync(kept)) return kept
  await mkdir(cache, { recursive: true })
  const made = `${kept}.${process.pid}`
  try {
    await run('go', ['build', '-o', made, '.'], { cwd: fixture('ws-gorilla') })
  } catch (cause) {
    throw new Error('Go 1.22 or newer is needed to build test/fixtures/ws-gorilla, and `go build` failed', { cause })
  }
  await rename(made, kept)
  return kept
}

/** Starts a program that prints its port and ends with its standard input. */
export async function startProgram({
  command,
  args,
  env,
}: Pick<CommandLine, 'command' | 'args' | 'env'>): Promise<OtherServer> {
  const folder = temporaryFolder('ws-server-')
  const logFile = join(folder, 'server.log')
  const child = await startChild({ command, args, logFile, holdStdin: true, ...(env ? { env } : {}) })
  const port = await until(`the port of ${command}`, async () => {
    const log = await readFile(logFile, 'utf8')
    if (child.exit) throw new Error(`${command} ended: ${log}`)
    return /^(\d+)\n/.exec(log)?.[1]
  })
  return {
    port: Number(port),
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
