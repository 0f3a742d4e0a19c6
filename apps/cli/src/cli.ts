import type { Command } from 'commander'
import { Client } from './client.ts'
import { CliError, EXIT, type ExitCode, usageError } from './cli-error.ts'
import { type ConnectionOptions, targetOf } from './config.ts'
import { type Format, FORMATS, Output, type Streams } from './output.ts'
import { confirmed, type Input } from './prompt.ts'

/** The process as commands see it. */
export interface Io extends Streams {
  readonly stdin: Input
  /** Aborts at Ctrl-C, for commands that go on until then. */
  readonly interrupted: AbortSignal
}

/** What a command works with. */
export interface Session {
  readonly io: Io
  readonly client: Client
  readonly out: Output
  /** Ends the command with this code, after what it still does. */
  readonly exit: (code: ExitCode) => void
  /** Throws unless a person says yes, or `yes` is set. `what` is a sentence without its end. */
  readonly confirm: (what: string, yes: boolean | undefined) => Promise<void>
}

/** Adds commands to the program. */
export type Family = (program: Command, cli: Cli) => void

/** One run of the program. */
export class Cli {
  readonly io: Io
  exitCode: ExitCode = EXIT.done

  constructor(io: Io) {
    this.io = io
  }

  /** The action of a command: with its arguments, its options and a session. */
  action<O extends object, A extends readonly unknown[]>(
    run: (session: Session, options: O, ...args: A) => Promise<void>,
  ): (...all: unknown[]) => Promise<void> {
    return async (...all) => {
      const command = all.at(-1) as Command
      const session = await this.session(command.optsWithGlobals())
      await run(session, command.opts(), ...(all.slice(0, -2) as unknown as A))
    }
  }

  async session(options: ConnectionOptions & { readonly output?: string }): Promise<Session> {
    const { io } = this
    const client = new Client(await targetOf(options, io.env))
    const out = new Output(io, formatOf(options.output))
    return {
      ...{ io, client, out },
      exit: (code) => void (this.exitCode = code),
      confirm: async (what, yes) => {
        if (yes === true) return
        if (io.stdin.isTTY !== true) throw usageError(`${what}: that needs --yes where nobody can be asked.`)
        if (!(await confirmed(io, `${what}. Go on? [y/N] `))) throw new CliError(EXIT.failed, 'Nothing was changed.')
      },
    }
  }
}

function formatOf(text = 'table'): Format {
  const format = FORMATS.find((known) => known === text)
  if (format === undefined) throw usageError(`-o ${text} is none of ${FORMATS.join(', ')}.`)
  return format
}
