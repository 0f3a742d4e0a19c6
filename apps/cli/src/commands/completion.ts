import { Argument, type Command } from 'commander'
import { EXIT } from '../cli-error.ts'
import type { Cli, Family } from '../cli.ts'
import { namesOf } from '../connect.ts'
import { FORMATS } from '../output.ts'
import { SHELLS } from './shells.ts'

/** A shell waits for the names that it completes. */
const NAMES_TIMEOUT_MS = 1000

/** `completion`, and `__complete`, which its scripts call. */
export const completion: Family = (program, cli) => {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .summary('bash, zsh or fish: completes names of connectors, too')
    .description(
      'Print what makes the shell complete commands, options and names of connectors:\n  source <(tributary completion bash)',
    ) // prettier-ignore
    .action((shell: keyof typeof SHELLS) => void cli.io.stdout.write(SHELLS[shell]))

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const found = await candidates(program, cli, words)
      if (found.length > 0) cli.io.stdout.write(`${found.join('\n')}\n`)
      cli.exitCode = EXIT.done
    })
}

/** What may stand in place of the last word, which may be empty. */
async function candidates(program: Command, cli: Cli, words: readonly string[]): Promise<string[]> {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  let command = program
  for (const word of before) {
    command = command.commands.find((each) => each.name() === word || each.aliases().includes(word)) ?? command
  }
  const all = await following(program, cli, command, before, last)
  return all.filter((each) => each.startsWith(last)).sort()
}

async function following(
  program: Command,
  cli: Cli,
  command: Command,
  before: readonly string[],
  last: string,
): Promise<string[]> {
  const options = [...new Set([command, program])].flatMap((each) => each.options)
  const open = options.find(({ short, long }) => [short, long].includes(before.at(-1) ?? ''))
  if (open?.long === '--output') return [...FORMATS]
  if (open?.long === '--connector') return connectorNames(program, cli, before)
  // Files: the shell does that.
  if (open !== undefined && (open.required || open.optional)) return []
  if (last.startsWith('-')) return options.flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]))
  const commands = command.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'))
  if (commands.length > 0) return commands
  const [argument] = command.registeredArguments
  if (argument === undefined) return []
  if (argument.argChoices !== undefined) return argument.argChoices
  return /^connectors?$/.test(argument.name()) ? connectorNames(program, cli, before) : []
}

/** Of the server that the words before name. None when it does not answer: a shell must not show errors. */
async function connectorNames(program: Command, cli: Cli, before: readonly string[]): Promise<string[]> {
  const named = (option: string): string | undefined => {
    const i = before.indexOf(option)
    return i < 0 ? undefined : before[i + 1]
  }
  const [server, profile] = [named('--server'), named('--profile')]
  try {
    const { client } = await cli.session({ ...(server && { server }), ...(profile && { profile }) })
    return (await namesOf(client, NAMES_TIMEOUT_MS)).filter((name) => /^[\w.@:+-]+$/.test(name))
  } catch {
    return []
  }
}
