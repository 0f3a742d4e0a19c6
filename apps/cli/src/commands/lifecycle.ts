import type { Command } from 'commander'
import { usageError } from '../cli-error.ts'
import type { Cli, Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import { milliseconds } from '../config.ts'
import { namesOf } from '../connect.ts'
import { waitFor, type Waited } from '../wait.ts'

/** Seconds that `--wait` waits unless `--wait-for` says otherwise. */
const WAIT = '60'

export interface WaitOptions {
  readonly wait?: true
  readonly waitFor?: string
}

export function withWait(command: Command, until: Waited['until']): Command {
  return command
    .option('-w, --wait', `until ${until}${until === 'RUNNING' ? ' or FAILED' : ''}; at most --wait-for`)
    .option('--wait-for <seconds>', `wait at most so long (default ${WAIT}); means --wait`)
}

/** Waits for each, if asked. */
export async function waitForAll(
  { client, out }: Session,
  names: readonly string[],
  until: Waited['until'],
  { wait, waitFor: seconds }: WaitOptions,
  resumed = false,
): Promise<void> {
  if (wait === undefined && seconds === undefined) return
  const timeoutMs = milliseconds(seconds ?? WAIT, '--wait-for')
  for (const name of names) {
    const { tasks } = await waitFor(client, name, { timeoutMs, until, resumed })
    out.done(`${name}: ${until}${until === 'STOPPED' ? '' : `, ${tasks.length === 1 ? 'one task' : `${tasks.length} tasks`}`}`) // prettier-ignore
  }
}

/** `pause`, `resume`, `stop` and `restart`. */
export const lifecycle: Family = (program, cli) => {
  target(program, cli, 'pause', 'PAUSED', 'the tasks stay, and read nothing')
  target(program, cli, 'resume', 'RUNNING', 'after pause or stop')
  target(program, cli, 'stop', 'STOPPED', 'the tasks end; offsets can be changed')
  const restart = program
    .command('restart')
    .argument('<connectors...>')
    .summary('the connector and all its tasks')
    .description('Restart connectors with all their tasks.')
    .option('--only-failed', 'leave alone what runs')
    .option('--task <number>', 'this task alone')
  withWait(restart, 'RUNNING').action(
    cli.action(
      async (session: Session, options: WaitOptions & { onlyFailed?: true; task?: string }, names: string[]) => {
        const { client, out } = session
        const { onlyFailed = false, task } = options
        if (task !== undefined && !/^\d+$/.test(task)) throw usageError(`--task ${task} is no number.`)
        for (const name of await existing(session, names)) {
          if (task === undefined)
            await client.send('POST', at`/connectors/${name}/restart`, { query: { includeTasks: true, onlyFailed } }) // prettier-ignore
          else await client.send('POST', at`/connectors/${name}/tasks/${task}/restart`)
          out.done(`${name}: restarting${task === undefined ? '' : ` task ${task}`}`)
        }
        await waitForAll(session, names, 'RUNNING', options)
        result(session, names)
      },
    ),
  )
}

function target(program: Command, cli: Cli, verb: string, until: Waited['until'], how: string): void {
  const command = program
    .command(verb)
    .argument('<connectors...>')
    .summary(how)
    .description(`${verb[0]!.toUpperCase()}${verb.slice(1)} connectors: ${how}.`)
  withWait(command, until).action(
    cli.action(async (session: Session, options: WaitOptions, names: string[]) => {
      for (const name of await existing(session, names)) {
        await session.client.send('PUT', at`/connectors/${name}/${verb}`)
        session.out.done(`${name}: to be ${until}`)
      }
      await waitForAll(session, names, until, options, verb === 'resume')
      result(session, names)
    }),
  )
}

/** One of several names that is misspelt is found before anything happens. */
async function existing({ client }: Session, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 1) return names
  const known = await namesOf(client)
  for (const name of names) if (!known.includes(name)) await client.get(at`/connectors/${name}/status`)
  return names
}

function result({ out }: Session, names: readonly string[]): void {
  if (out.format !== 'table') out.show({ value: names, names, columns: [], rows: [] })
}
