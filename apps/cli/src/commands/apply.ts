import { HIDDEN } from '@tributary/config'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at, type Client } from '../client.ts'
import { configOf, namesOf } from '../connect.ts'
import { type Difference, differenceOf, showDifference } from '../diff.ts'
import { type ConnectorDocument, readConnectors } from '../documents.ts'
import { waitForAll, withWait, type WaitOptions } from './lifecycle.ts'

interface ApplyOptions extends WaitOptions {
  readonly file: readonly string[]
  readonly dryRun?: true
  readonly prune?: true
  readonly prefix?: string
  readonly yes?: true
}

/** `create` and `apply`. */
export const apply: Family = (program, cli) => {
  const create = program
    .command('create')
    .summary('make the connectors of files')
    .description('Make the connectors of files. One that exists is an error: apply changes it.')
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin; JSON or YAML')
  withWait(create, 'RUNNING').action(
    cli.action(async (session: Session, options: ApplyOptions) => {
      const documents = await readConnectors(options.file, session.io.stdin)
      for (const document of documents) differenceOf(document, null, new Set())
      for (const document of documents) await make(session, document)
      const names = documents.map(({ name }) => name)
      await waitForAll(session, running(documents), 'RUNNING', options)
      if (session.out.format !== 'table') session.out.show({ value: names, names, columns: [], rows: [] })
    }),
  )

  const command = program
    .command('apply')
    .summary('make connectors as files say')
    .description(
      'Make and change connectors until they are as files say, and show what differs first.\nNothing is done where nothing differs.',
    ) // prettier-ignore
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin; JSON or YAML')
    .option('--dry-run', 'only show; ends with 6 when something differs')
    .option('--prune', 'delete connectors that are not in the files')
    .option('--prefix <text>', 'the files own names that begin so; --prune deletes no others')
    .option('-y, --yes', 'do not ask before --prune without --prefix')
  withWait(command, 'RUNNING').action(cli.action(applyAll))
}

async function applyAll(session: Session, options: ApplyOptions): Promise<void> {
  const { client, out, exit } = session
  const { dryRun, prune, prefix } = options
  const documents = await readConnectors(options.file, session.io.stdin)
  const foreign = documents.find(({ name }) => !name.startsWith(prefix ?? ''))
  if (foreign !== undefined) {
    throw usageError(`${foreign.from} describes ${foreign.name}, which does not begin with --prefix ${prefix}.`, 'Rename it, or leave --prefix out.') // prettier-ignore
  }
  const differences = await differencesOf(client, documents)
  const gone = prune ? await notIn(client, documents, prefix ?? '') : []
  const all = [...differences, ...gone]
  for (const difference of all) showDifference(out, difference)
  if (dryRun) {
    if (out.format !== 'table') report(session, all)
    if (all.some(({ action }) => action !== 'nothing')) exit(EXIT.differs)
    return
  }
  if (gone.length > 0 && prefix === undefined) {
    await session.confirm(`--prune without --prefix deletes ${gone.map(({ name }) => name).join(', ')}`, options.yes)
  }
  const failures = await change(session, documents, differences)
  // What has failed may be a connector under a new name, so the old one stays.
  if (failures === 0) for (const { name } of gone) await client.send('DELETE', at`/connectors/${name}`)
  const count = (action: Difference['action'], of = all): number => of.filter((each) => each.action === action).length
  out.done(`${count('create')} new, ${count('change')} changed, ${count('nothing')} the same${prune ? `, ${failures === 0 ? gone.length : 0} deleted` : ''}${failures > 0 ? `, ${failures} failed` : ''}`) // prettier-ignore
  if (out.format !== 'table') report(session, all)
  if (failures > 0) throw new CliError(EXIT.failed, `${failures} of ${documents.length} connectors could not be applied${gone.length > 0 ? ', so none was deleted' : ''}.`, 'Mend them and apply again: what is done stays done.') // prettier-ignore
  const changed = differences.filter(({ action }) => action !== 'nothing').map(({ name }) => name)
  await waitForAll(session, running(documents).filter((name) => changed.includes(name)), 'RUNNING', options) // prettier-ignore
}

/** @returns how many could not be changed. The others are changed all the same. */
async function change(
  session: Session,
  documents: readonly ConnectorDocument[],
  all: readonly Difference[],
): Promise<number> {
  let failures = 0
  for (const [i, { name, action, unseen, config }] of all.entries()) {
    try {
      if (action === 'create') await make(session, { ...documents[i]!, config }, true)
      else if (action === 'change' || unseen.length > 0) await session.client.send('PUT', at`/connectors/${name}/config`, { body: { ...config, name } }) // prettier-ignore
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode === EXIT.unreachable || error.exitCode === EXIT.refused)
        throw error
      failures++
      session.out.note(`${name}: ${error.message}`)
    }
  }
  return failures
}

async function make({ client, out }: Session, document: ConnectorDocument, quiet = false): Promise<void> {
  const { name, config, initialState } = document
  const body = { name, config: { ...config, name }, ...(initialState !== null && { initial_state: initialState }) }
  await client.send('POST', '/connectors', { body })
  if (!quiet) out.done(`${name}: created`)
}

/** Those that are to run, and can be waited for. */
function running(documents: readonly ConnectorDocument[]): string[] {
  return documents.filter(({ initialState }) => (initialState ?? 'RUNNING').toUpperCase() === 'RUNNING').map(({ name }) => name) // prettier-ignore
}

function report({ out }: Session, all: readonly Difference[]): void {
  const named = all.filter(({ action }) => action !== 'nothing').map(({ name }) => name)
  const value = all.map(({ name, action, changes }) => ({
    name,
    action,
    changes: changes.map(({ key, before, after, secret }) => ({
      key,
      before: secret && before !== null ? HIDDEN : before,
      after: secret && after !== null ? HIDDEN : after,
    })),
  }))
  out.show({ value, names: named, columns: [], rows: [] })
}

/** What applying the documents would change, in their order. */
export async function differencesOf(client: Client, documents: readonly ConnectorDocument[]): Promise<Difference[]> {
  const secrets = new Map<string, Promise<ReadonlySet<string>>>()
  const all: Difference[] = []
  for (const document of documents) {
    const present = await configOf(client, document.name)
    const of = document.config['connector.class'] ?? present?.['connector.class'] ?? ''
    if (!secrets.has(of)) secrets.set(of, passwordsOf(client, of))
    all.push(differenceOf(document, present, await secrets.get(of)!))
  }
  return all
}

/** The keys that a class defines as passwords; none where nobody says, since names of keys tell, too. */
async function passwordsOf(client: Client, of: string): Promise<ReadonlySet<string>> {
  if (of === '') return new Set()
  try {
    const keys = (await client.get(at`/connector-plugins/${of}/config`)) as { name: string; type: string }[]
    return new Set(keys.filter(({ type }) => type === 'PASSWORD').map(({ name }) => name))
  } catch (error) {
    if (error instanceof CliError && error.exitCode !== EXIT.unreachable) return new Set()
    throw error
  }
}

async function notIn(client: Client, documents: readonly ConnectorDocument[], prefix: string): Promise<Difference[]> {
  const names = (await namesOf(client)).filter((name) => name.startsWith(prefix))
  return names
    .filter((name) => documents.every((document) => document.name !== name))
    .map((name) => ({ name, action: 'delete', changes: [], unseen: [], config: {} }))
}
