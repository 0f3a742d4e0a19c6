import { HIDDEN } from '@tributary/config'
import { EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import { configOf, type Expanded, namesOf, reasonOf, type Status, statusOf } from '../connect.ts'
import type { Cell } from '../output.ts'

/** `list`, `status`, `health`, `get` and `delete`. */
export const connectors: Family = (program, cli) => {
  program.command('list').alias('ls').summary('connectors with their states').description('List the connectors with their states.').action(cli.action(list)) // prettier-ignore

  program
    .command('status')
    .argument('[connectors...]', 'absent: all')
    .summary('states of connectors and tasks, and why')
    .description('Show the states of connectors and of their tasks, and why one has failed.')
    .option('--trace', 'with the whole stack trace of what has failed')
    .action(cli.action(status))

  program
    .command('health')
    .argument('[connector]', 'absent: the server')
    .summary('how well the server or a connector runs')
    .description(
      'Say how well the server or a connector runs.\nEnds with 1 when the server is unhealthy, or the connector is FAILED or stalled.',
    ) // prettier-ignore
    .action(cli.action(health))

  program
    .command('get')
    .alias('config')
    .argument('<connectors...>')
    .summary('configurations, as files for apply')
    .description('Print the configurations of connectors, as files for apply: YAML, or JSON by -o json.')
    .action(cli.action(get))

  program
    .command('delete')
    .argument('<connectors...>')
    .summary('delete connectors; their offsets stay')
    .description('Delete connectors. Their offsets stay: one of the same name goes on from there.')
    .option('-y, --yes', 'do not ask')
    .action(cli.action(remove))
}

async function list({ client, out }: Session): Promise<void> {
  const all = await expanded(client)
  out.show({
    value: all.map(({ name, type, status, class: of }) => ({
      ...{ name, type, class: of, state: status?.connector.state ?? null },
      tasks: status?.tasks.map(({ id, state }) => ({ id, state })) ?? [],
    })),
    names: all.map(({ name }) => name),
    columns: ['NAME', 'STATE', 'TASKS', 'TYPE', 'CLASS'],
    rows: all.map(({ name, type, status, class: of }) => [name, stateOf(status), tasksOf(status), type, of?.split('.').at(-1)]), // prettier-ignore
    none: 'There is no connector. `tributary create -f FILE` makes one.',
  })
}

interface Listed {
  readonly name: string
  readonly type: string | null
  readonly class: string | null
  readonly status: Status | null
}

async function expanded(client: Session['client']): Promise<Listed[]> {
  const all = (await client.get('/connectors', { query: { expand: ['status', 'info'] } })) as Record<string, Expanded>
  // Kafka Connect leaves out connectors that have no status yet.
  const names = new Set([...(await namesOf(client)), ...Object.keys(all)])
  return [...names].sort().map((name) => {
    const { status = null, info } = all[name] ?? {}
    return {
      ...{ name, status, type: info?.type ?? status?.type ?? null },
      class: info?.config['connector.class'] ?? null,
    }
  })
}

/** What is worst of the connector and its tasks. */
function stateOf(status: Status | null): string {
  const states = status === null ? [] : [status.connector, ...status.tasks].map(({ state }) => state)
  return ['FAILED', 'UNASSIGNED', 'RESTARTING'].find((worst) => states.includes(worst)) ?? states[0] ?? 'UNASSIGNED'
}

function tasksOf(status: Status | null): string {
  const tasks = status?.tasks ?? []
  return `${tasks.filter(({ state }) => state === 'RUNNING').length}/${tasks.length}`
}

async function status({ client, out }: Session, { trace }: { trace?: true }, names: readonly string[]): Promise<void> {
  const all =
    names.length === 0
      ? (await expanded(client)).flatMap((each) => each.status ?? [])
      : await Promise.all(names.map((name) => statusOf(client, name)))
  const parts = all.flatMap(({ name, connector, tasks }) => [
    { name, task: null, ...connector },
    ...tasks.map(({ id, ...task }) => ({ name, task: id, ...task })),
  ])
  out.show({
    value: names.length === 1 ? all[0] : all,
    names: all.map(({ name }) => name),
    columns: ['CONNECTOR', 'TASK', 'STATE', 'WORKER', 'WHY'],
    rows: parts.map((part): Cell[] => [part.name, part.task, part.state, part.worker_id, reasonOf(part.trace)]),
    none: 'There is no connector.',
  })
  for (const part of parts) {
    if (trace && part.trace)
      out.done(`\n${part.name}${part.task === null ? '' : `, task ${part.task}`}:\n${part.trace}`)
  }
}

interface Flow {
  readonly connected?: boolean | null
  readonly reason?: string | null
  readonly stalled?: boolean
  readonly last_record_at?: string | null
  readonly lag_ms?: number | null
}

async function health({ client, out, exit }: Session, _: object, name?: string): Promise<void> {
  if (name === undefined) {
    const answer = (await client.get('/health', { acceptAll: true })) as { status?: string; message?: string }
    const { status: state = 'unhealthy', message = '' } = answer
    out.show({ value: answer, names: [state], columns: ['SERVER', 'STATUS', 'WHY'], rows: [[client.address, state, message]] }) // prettier-ignore
    if (state !== 'healthy') exit(EXIT.failed)
    return
  }
  const answer = (await client.get(at`/connectors/${name}/health`)) as Flow & {
    readonly state: string
    readonly tasks: readonly (Flow & { readonly task: number })[]
  }
  const row = (task: number | null, state: string | null, flow: Flow): Cell[] => [name, task, state, flow.connected ? 'yes' : 'no', flow.stalled === undefined ? null : flow.stalled ? 'yes' : 'no', flow.reason] // prettier-ignore
  out.show({
    value: answer,
    names: [name],
    columns: ['CONNECTOR', 'TASK', 'STATE', 'CONNECTED', 'STALLED', 'WHY'],
    rows: [row(null, answer.state, answer), ...answer.tasks.map((task) => row(task.task, null, task))],
  })
  if (answer.state === 'FAILED' || answer.stalled === true) exit(EXIT.failed)
}

async function get({ client, out }: Session, _: object, names: readonly string[]): Promise<void> {
  const configs: object[] = []
  for (const name of names) {
    const config = (await client.get(at`/connectors/${name}/config`)) as Record<string, string>
    const { name: _name, ...settings } = config
    configs.push({ name, ...settings })
    const hidden = Object.keys(config).filter((key) => config[key] === HIDDEN)
    if (hidden.length > 0) out.note(`${name}: ${hidden.join(', ')} hidden from you; apply keeps the present values.`)
  }
  if (out.format === 'name') out.line(names.join('\n'))
  else if (out.format === 'json' || configs.length === 1) out.data(configs.length === 1 ? configs[0] : configs)
  else out.documents(configs)
}

async function remove(
  { client, out, confirm }: Session,
  { yes }: { yes?: true },
  names: readonly string[],
): Promise<void> {
  // A name that is misspelt is found before anything is deleted.
  for (const name of names) {
    if ((await configOf(client, name)) === null) await client.get(at`/connectors/${name}/status`)
  }
  if (new Set(names).size < names.length) throw usageError('A connector is named twice.')
  await confirm(`This deletes ${names.join(', ')}`, yes)
  for (const name of names) {
    await client.send('DELETE', at`/connectors/${name}`)
    out.done(`${name}: deleted`)
  }
  if (out.format !== 'table') out.show({ value: names, names, columns: [], rows: [] })
}
