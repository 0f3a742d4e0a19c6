import { CommanderError } from 'commander'
import { Cli, type Io } from './cli.ts'
import { CliError, EXIT, type ExitCode, HttpError } from './cli-error.ts'
import { namesOf } from './connect.ts'
import { nearest } from './nearest.ts'
import { lines } from './output.ts'
import { createProgram } from './program.ts'

/** Runs one command. `args`: without the names of node and of the program. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const cli = new Cli(io)
  const program = createProgram(cli)
  const report = (message: string, advice: string | null): void => {
    io.stderr.write(`tributary: ${lines(message)}\n${advice === null ? '' : `  ${lines(advice)}\n`}`)
  }
  try {
    if (args.length === 0) io.stdout.write(program.helpInformation())
    else await program.parseAsync(args, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done
      const words = error.message.replace(/^error: /, '')
      // `tributary dlq` alone asks for its commands, and commander has no words for that.
      if (error.code === 'commander.help') return helped(args, program, io)
      report(words, `\`tributary ${commandOf(args, program)}--help\` shows its use.`)
      return EXIT.usage
    }
    if (!(error instanceof CliError)) throw error
    report(error.message, await adviceFor(error, cli, program.opts()))
    return error.exitCode
  }
}

type Program = ReturnType<typeof createProgram>

function helped(args: readonly string[], program: Program, io: Io): ExitCode {
  const group = program.commands.find((command) => command.name() === args.find((arg) => !arg.startsWith('-')))
  io.stderr.write((group ?? program).helpInformation())
  return EXIT.usage
}

/** The command of the arguments with a blank behind it, if there is such a command. */
function commandOf(args: readonly string[], program: Program): string {
  const name = args.find((arg) => program.commands.some((command) => command.name() === arg))
  return name === undefined ? '' : `${name} `
}

/** For a connector that is not there: names like it. */
async function adviceFor(error: CliError, cli: Cli, options: object): Promise<string | null> {
  const name =
    error instanceof HttpError && error.status === 404 ? /^\/connectors\/([^/]+)/.exec(error.path)?.[1] : undefined
  if (name === undefined) return error.advice
  try {
    const { client } = await cli.session(options)
    const names = await namesOf(client, 2000)
    const wanted = decodeURIComponent(name)
    if (names.includes(wanted)) return error.advice
    const like = nearest(wanted, names)
    if (like.length > 0) return `Did you mean ${like.join(' or ')}?`
    return names.length === 0 ? `${client.address} has no connector.` : '`tributary list` shows the connectors.'
  } catch {
    return error.advice
  }
}

/** The process: bin/tributary.js calls it. */
export async function main(): Promise<void> {
  const interrupt = new AbortController()
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read the output has seen enough (`| head`).
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.done)
      throw error
    })
  }
  process.once('SIGINT', () => {
    interrupt.abort(new Error('interrupted'))
    // Whoever presses Ctrl-C in any other command wants it to end now.
    if (!process.argv.includes('tail')) process.exit(130)
    process.once('SIGINT', () => process.exit(130))
  })
  const { stdin, stdout, stderr, env } = process
  process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted: interrupt.signal })
}
