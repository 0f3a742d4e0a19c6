import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, temporaryFolder } from '@tributary/harness'
import { isAlive, until } from '../support/until.ts'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../../', import.meta.url))
const start = join(repository, 'deploy/local/start.js')
const topic = join(repository, 'deploy/local/topic.ts')

export interface Launched {
  readonly process: ChildProcess
  /** Everything that the launcher has printed, errors included. */
  output(): string
  /** Waits until the output matches, and returns the match. */
  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  /** All processes that descend from the launcher. */
  descendants(): Promise<number[]>
  /**
   * Sends a signal and waits for the end. @returns the exit code; null after a signal that the launcher does not
   * handle.
   */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** The launcher gets a folder and ports of its own, so that tests do not meet the processes of a developer. */
export interface Place {
  readonly env: Readonly<Record<string, string>>
  readonly restPort: number
  readonly operatorsPort: number
  readonly dataDir: string
}

export async function newPlace(): Promise<Place> {
  const [restPort, operatorsPort] = [await freePort(), await freePort()]
  const dataDir = temporaryFolder('start')
  const ports = { TRIBUTARY_REST_PORT: String(restPort), TRIBUTARY_OPERATORS_PORT: String(operatorsPort) }
  return { env: { TRIBUTARY_DATA_DIR: dataDir, ...ports }, restPort, operatorsPort, dataDir }
}

/** Runs `npm start -- args`. KAFKA_BROKERS is set only if `env` has it. */
export function launch(args: readonly string[], env: Readonly<Record<string, string>>): Launched {
  // A user's start has its own cache, in its data folder.
  const { NODE_COMPILE_CACHE: _, ...inherited } = process.env
  delete inherited['KAFKA_BROKERS']
  const child = spawn(process.execPath, [start, ...args], { env: { ...inherited, ...env } })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  return {
    process: child,
    output: () => output,
    async printed(pattern, timeoutMs = 90_000) {
      try {
        return await until(`the launcher prints ${pattern.source}`, () => pattern.exec(output), timeoutMs)
      } catch (cause) {
        throw new Error(`${(cause as Error).message}; it printed:\n${output}`, { cause })
      }
    },
    descendants: () => descendants(child.pid ?? 0),
    async end(signal) {
      const exit = once(child, 'exit')
      child.kill(signal)
      const [code] = (await exit) as [number | null]
      return code
    },
  }
}

/** Runs the launcher until it ends by itself. */
export async function launchToEnd(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const launched = launch(args, env)
  const [code] = (await once(launched.process, 'close')) as [number | null]
  return { code, output: launched.output() }
}

/** Runs `npm run topic -- args` to its end. */
export async function showTopic(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string[]> {
  const inherited = { ...process.env }
  delete inherited['KAFKA_BROKERS']
  const { stdout } = await run(process.execPath, [topic, ...args], {
    env: { ...inherited, ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  })
  return stdout.trim().split('\n')
}

export const allGone = (pids: readonly number[]): boolean => pids.every((pid) => !isAlive(pid))

async function descendants(root: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid='])
  const parents = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [pid: number, ppid: number])
  const below = (pid: number): number[] =>
    parents.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)])
  return below(root)
}
