import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { CommandLine } from '@tributary/harness'

/** The outcome of one command. */
export interface Outcome {
  /** null for a library, which has no exit code. */
  readonly exitCode: number | null
  readonly output: string
}

/** A client for one REST API. Runs a command, given as words. */
export type Client = (...words: string[]) => Promise<Outcome>

/** A program for the terminal. `lineOf` places the words in its command line. */
export function commandClient(lineOf: (words: readonly string[]) => CommandLine): Client {
  return (...words) =>
    new Promise((resolve, reject) => {
      const { command, args, env } = lineOf(words)
      const options = { env: { ...process.env, ...env }, timeout: 60_000 }
      execFile(command, [...args], options, (error, output, errors) => {
        if (error === null) return resolve({ exitCode: 0, output })
        // A number is an exit code. A program that cannot be started, or hangs, has none.
        if (typeof error.code === 'number') resolve({ exitCode: error.code, output: output + errors })
        else reject(new Error(`${command} ${args.join(' ')} has no exit code`, { cause: error }))
      })
    })
}

/**
 * A library, called by a program of ours that lives as long as the test. The program reads the words of a call from one
 * line, separated by tabs, and answers with one line: the result as JSON.
 */
export async function libraryClient(t: TestContext, { command, args, env }: CommandLine): Promise<Client> {
  const program = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' })
  await once(program, 'spawn')
  let complaints = ''
  program.stderr.on('data', (data: Buffer) => (complaints += data.toString()))
  const ended = once(program, 'exit')
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
  t.after(async () => {
    program.kill()
    await ended
  })
  return async (...words) => {
    program.stdin.write(`${words.join('\t')}\n`)
    const line = await lines.next()
    if (line.done === true) throw new Error(`${command} ended at: ${words.join(' ')}\n${complaints}`)
    return { exitCode: null, output: line.value }
  }
}
