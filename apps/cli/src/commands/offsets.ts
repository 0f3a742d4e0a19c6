import { parseJson, stringifyJson } from '@tributary/config'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import type { Offsets } from '../connect.ts'

/** `offsets get|set|reset`. */
export const offsets: Family = (program, cli) => {
  const group = program
    .command('offsets')
    .summary('get, set or reset how far a connector has come')
    .description('How far a connector has come. `set` and `reset` need a STOPPED one: tributary stop NAME --wait')

  group.command('get').argument('<connector>').description('Show the committed offsets.').action(cli.action(get))

  group
    .command('set')
    .argument('<connector>')
    .description('Replace the offsets of the partitions that are named. An offset of null forgets one.')
    .option('-f, --file <file>', 'as `offsets get -o json` prints them, or - for stdin')
    .option('--partition <json>', 'with --offset: one partition, such as {"filename": "/x"}')
    .option('--offset <json>', 'such as {"position": 30}, or null')
    .action(cli.action(set))

  group
    .command('reset')
    .argument('<connector>')
    .description('Forget all offsets: the connector begins anew.')
    .option('-y, --yes', 'do not ask')
    .action(
      cli.action(async ({ client, out, confirm }: Session, { yes }: { yes?: true }, name: string) => {
        const { offsets: all } = (await client.get(at`/connectors/${name}/offsets`)) as Offsets
        await confirm(`This forgets ${all.length === 1 ? 'the offset' : `${all.length} offsets`} of ${name}`, yes)
        answered(out, name, await client.send('DELETE', at`/connectors/${name}/offsets`))
      }),
    )
}

async function get({ client, out }: Session, _: object, name: string): Promise<void> {
  const answer = (await client.get(at`/connectors/${name}/offsets`)) as Offsets
  out.show({
    value: answer,
    names: answer.offsets.map(({ partition }) => stringifyJson(partition)),
    columns: ['PARTITION', 'OFFSET'],
    rows: answer.offsets.map(({ partition, offset }) => [stringifyJson(partition), stringifyJson(offset)]),
    none: `${name} has no offsets yet.`,
  })
}

async function set(
  { client, out, io }: Session,
  options: { file?: string; partition?: string; offset?: string },
  name: string,
): Promise<void> {
  const { file, partition, offset } = options
  const single = partition !== undefined && offset !== undefined
  if ((file !== undefined) === single || (partition === undefined) !== (offset === undefined)) {
    throw usageError('offsets set needs -f FILE, or --partition with --offset.')
  }
  const body = single
    ? { offsets: [{ partition: json('--partition', partition), offset: json('--offset', offset) }] }
    : json(file!, await source(file!, io.stdin))
  answered(out, name, await client.send('PATCH', at`/connectors/${name}/offsets`, { body }))
}

async function source(file: string, stdin: NodeJS.ReadableStream): Promise<string> {
  try {
    return file === '-' ? await text(stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(error as Error).message}.`)
  }
}

/** Numbers as they were written. */
function json(what: string, words: string): unknown {
  try {
    return parseJson(words, { numbers: 'raw' })
  } catch (error) {
    throw usageError(`${what} is no JSON: ${(error as Error).message}.`)
  }
}

function answered(out: Session['out'], name: string, answer: unknown): void {
  const { message = 'done' } = (answer ?? {}) as { message?: string }
  out.done(`${name}: ${message}`)
  if (out.format !== 'table') out.show({ value: answer, names: [name], columns: [], rows: [] })
}
