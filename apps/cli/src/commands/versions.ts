import { parseJson } from '@tributary/config'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at, type Client } from '../client.ts'
import { tributaryVersion } from '../connect.ts'
import { type KeyChange, showDifference } from '../diff.ts'
import { readConnectors, readValues } from '../documents.ts'
import type { Cell } from '../output.ts'
import { differencesOf } from './apply.ts'
import { waitForAll, withWait, type WaitOptions } from './lifecycle.ts'

interface Version {
  readonly version: number
  readonly time: string
  readonly author: string | null
  readonly cause: string
  readonly rollback_to?: number
  readonly changed: readonly string[]
}

interface Plan {
  readonly connector: string
  readonly action: string
  readonly reason: string
  readonly version: number | null
  readonly tasks: readonly { readonly task: number; readonly action: string; readonly why: string }[]
  readonly errors: readonly { readonly field: string; readonly message: string }[]
}

/** `diff`, `plan`, `history` and `rollback`. */
export const versions: Family = (program, cli) => {
  program
    .command('diff')
    .argument('[connector]')
    .argument('[from]', 'a version; absent: the one before the latest')
    .argument('[to]', 'a version, or current; absent: the latest')
    .summary('files beside the server, or two versions')
    .description(
      'Show what files would change, or what two versions of a connector differ in.\nEnds with 6 when something differs.',
    ) // prettier-ignore
    .option('-f, --file <path...>', 'files, folders, or - for stdin')
    .action(cli.action(diff))

  program
    .command('plan')
    .summary('what tasks would do with files')
    .description(
      'Say what the tasks would do if files were applied: nothing, hand-over, restart. Nothing is changed.\nEnds with 1 when a configuration would be refused.',
    ) // prettier-ignore
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin')
    .action(cli.action(plan))

  program
    .command('history')
    .argument('<connector>')
    .summary('who has changed a configuration, and when')
    .description(
      'Show who has changed the configuration of a connector, the newest version first. Also of one that was deleted.',
    ) // prettier-ignore
    .option('--limit <number>', 'at most so many versions', '20')
    .option('--before <version>', 'only older versions')
    .option('--show <version>', 'the configuration of this version')
    .action(cli.action(history))

  const rollback = program
    .command('rollback')
    .argument('<connector>')
    .argument('<version>', 'see history')
    .summary('put an earlier configuration again')
    .description('Put the configuration of an earlier version again. Secrets keep their present values.')
    .option('--plan', 'only say what would happen')
    .option('--secrets <file>', 'settings that the present configuration lacks, as JSON or YAML')
  withWait(rollback, 'RUNNING').action(cli.action(rollBack))
}

async function diff(
  session: Session,
  { file }: { file?: string[] },
  name?: string,
  from?: string,
  to?: string,
): Promise<void> {
  const { client, out, exit } = session
  if ((file === undefined) === (name === undefined)) throw usageError('diff needs a connector or -f, and not both.')
  if (file !== undefined) {
    const all = await differencesOf(client, await readConnectors(file, session.io.stdin))
    for (const each of all) showDifference(out, each)
    const differing = all.filter(({ action }) => action !== 'nothing')
    const shown = all.map(({ name: of, action, changes }) => ({ name: of, action, changed: changes.map(({ key }) => key) })) // prettier-ignore
    if (out.format !== 'table') out.show({ value: shown, names: differing.map((each) => each.name), columns: [], rows: [] }) // prettier-ignore
    if (differing.length > 0) exit(EXIT.differs)
    return
  }
  type Change = { readonly key: string; readonly before: string | null; readonly after: string | null }
  const answer = (await client.get(at`/connectors/${name!}/config/diff`, { query: { from, to } })) as {
    readonly from: number | string
    readonly to: number | string
    readonly added: readonly Omit<Change, 'before'>[]
    readonly removed: readonly Omit<Change, 'after'>[]
    readonly changed: readonly Change[]
  }
  const changes: KeyChange[] = [
    ...answer.removed.map((each) => ({ ...each, after: null, secret: false })),
    ...answer.added.map((each) => ({ ...each, before: null, secret: false })),
    ...answer.changed.map((each) => ({ ...each, secret: false })),
  ]
  const of = `${name!}, version ${answer.from} to ${answer.to}`
  if (out.format === 'table')
    showDifference(out, { name: of, action: changes.length > 0 ? 'change' : 'nothing', changes, unseen: [], config: {} }) // prettier-ignore
  else out.show({ value: answer, names: changes.map(({ key }) => key), columns: [], rows: [] })
  if (changes.length > 0) exit(EXIT.differs)
}

async function plan(session: Session, { file }: { file: string[] }): Promise<void> {
  const { client } = session
  const documents = await readConnectors(file, session.io.stdin)
  await assertPlans(client)
  const plans: Plan[] = []
  for (const { name, config } of documents) {
    plans.push((await client.send('PUT', at`/connectors/${name}/config`, { query: { plan: true }, body: { ...config, name } })) as Plan) // prettier-ignore
  }
  showPlans(session, plans)
}

/** Kafka Connect ignores a query that it does not know, and would take the configuration. */
async function assertPlans(client: Client): Promise<void> {
  const version = await tributaryVersion(client)
  const api = version === null ? {} : ((await client.get('/openapi.json')) as { paths?: Record<string, { put?: { parameters?: { name?: string }[] } }> }) // prettier-ignore
  const parameters = api.paths?.['/connectors/{connector}/config']?.put?.parameters ?? []
  if (parameters.some(({ name }) => name === 'plan')) return
  const what = version === null ? 'is no Tributary' : `is Tributary ${version}, which has no plans`
  throw new CliError(EXIT.failed, `${client.address} ${what}.`, '`tributary diff -f FILE` shows what files would change on any server.') // prettier-ignore
}

function showPlans({ out, exit }: Session, plans: readonly Plan[]): void {
  out.show({
    value: plans.length === 1 ? plans[0] : plans,
    names: plans.map(({ connector, action }) => `${connector} ${action}`),
    columns: ['CONNECTOR', 'ACTION', 'VERSION', 'WHY'],
    rows: plans.map(({ connector, action, version, reason }): Cell[] => [connector, action, version, reason]),
  })
  for (const { connector, tasks, errors } of plans) {
    for (const { task, action, why } of tasks) out.done(`  ${connector}, task ${task}: ${action}: ${why}`)
    for (const { field, message } of errors) out.done(`  ${connector}, ${field}: ${message}`)
  }
  if (plans.some(({ action }) => action === 'refuse')) exit(EXIT.failed)
}

async function history(
  { client, out }: Session,
  options: { limit: string; before?: string; show?: string },
  name: string,
): Promise<void> {
  const { limit, before, show } = options
  if (show !== undefined) {
    const { config } = (await client.get(at`/connectors/${name}/config/history/${show}`)) as { config: object }
    return out.data(config)
  }
  const answer = (await client.get(at`/connectors/${name}/config/history`, { query: { limit, before } })) as {
    readonly versions: readonly Version[]
    readonly next: number | null
  }
  out.show({
    value: answer,
    names: answer.versions.map(({ version }) => String(version)),
    columns: ['VERSION', 'TIME', 'AUTHOR', 'CAUSE', 'CHANGED'],
    rows: answer.versions.map(({ version, time, author, cause, rollback_to: to, changed }): Cell[] => [version, time, author, to === undefined ? cause : `${cause} to ${to}`, changed.join(', ')]), // prettier-ignore
    none: `${name} has no version.`,
  })
  if (answer.next !== null && out.format === 'table') out.note(`There are older ones: --before ${answer.next}`)
}

async function rollBack(
  session: Session,
  options: WaitOptions & { plan?: true; secrets?: string },
  name: string,
  version: string,
): Promise<void> {
  const { client, out } = session
  if (!/^[1-9]\d{0,14}$/.test(version)) throw usageError(`${version} is no number of a version.`, `\`tributary history ${name}\` lists them.`) // prettier-ignore
  const config =
    options.secrets === undefined ? null : (await readValues([options.secrets], session.io.stdin))[0]?.value
  const body = { version: parseJson(version), ...(config !== null && { config }) }
  if (options.plan) {
    await assertPlans(client)
    const answer = await client.send('POST', at`/connectors/${name}/config/rollback`, { query: { plan: true }, body })
    return showPlans(session, [answer as Plan])
  }
  const answer = (await client.send('POST', at`/connectors/${name}/config/rollback`, { body })) as { version: number; changed: string[] } // prettier-ignore
  const { version: now, changed } = answer
  if (out.format !== 'table') out.show({ value: answer, names: [String(now)], columns: [], rows: [] })
  out.done(changed.length === 0 ? `${name}: has that configuration already` : `${name}: version ${now} is version ${version} again: ${changed.join(', ')}`) // prettier-ignore
  await waitForAll(session, [name], 'RUNNING', options)
}
