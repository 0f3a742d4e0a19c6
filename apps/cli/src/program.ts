import { Command } from 'commander'
import type { Cli } from './cli.ts'
import { families } from './commands/index.ts'
import { rootHelp } from './help.ts'

/** The whole command line. Commands put their results into the streams of `cli`, and throw CliError or CommanderError. */
export function createProgram(cli: Cli): Command {
  const program = new Command('tributary')
    .description('Operates Tributary and Kafka Connect.')
    .option('-o, --output <form>', 'table, json, yaml or name', 'table')
    .option('--server <url>', 'of the REST API')
    .option('--profile <name>', 'of login')
    .option('--ca <file>', 'certificates of authorities, PEM')
    .option('--cert <file>', 'certificate of the client, PEM')
    .option('--key <file>', 'key of the client, PEM')
    .option('--timeout <seconds>', 'until an answer must have come', '60')
    .helpCommand(true)
  for (const add of families) add(program, cli)
  settle(program, cli)
  program.helpInformation = () => rootHelp(program)
  return program
}

/** Every command throws instead of ending the process, and writes to the streams of `cli`. */
function settle(command: Command, cli: Cli): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void cli.io.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    })
    .configureHelp({ subcommandDescription: (each) => each.summary() || each.description() })
  for (const each of command.commands) settle(each, cli)
}
