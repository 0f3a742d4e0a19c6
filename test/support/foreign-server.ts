import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { builtGo, type CommandLine, startChild, temporaryFolder } from '@tributary/harness'
import { until } from './until.ts'

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
