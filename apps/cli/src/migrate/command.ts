import { readFile } from 'node:fs/promises'
import { EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { moveConnector, type Moved } from './move.ts'
import { type Config, OldConnect, type OldConnector } from './old-connect.ts'
import { VERDICTS, reportText } from './print.ts'
import { type ConnectorReport, reportOn } from './report.ts'
import { MigrateError, restOf } from './rest.ts'
import { SaveFolder } from './saved.ts'

interface Options {
  readonly from: string
  readonly only?: readonly string[]
  readonly workerConfig?: string
  readonly apply?: true
  readonly save: string
  readonly continue?: true
  readonly accept?: true
  readonly grace: string
  readonly startWithin: string
}

/** `migrate`: see docs/migrating.md. */
export const migrate: Family = (program, cli) => {
  program
    .command('migrate')
    .summary('connectors of a running Kafka Connect: a report, or a move')
    .description('Report on the connectors of a running Kafka Connect, and move them here with --apply.')
    .requiredOption('--from <url>', 'REST API of the old Kafka Connect, such as http://old-connect:8083')
    .option('--only <names...>', 'these connectors alone')
    .option('--worker-config <file>', "the old worker's properties: its converters")
    .option('--apply', 'move them, one after the other; else nothing is changed')
    .option('--save <folder>', 'what is needed to go on or back; it holds secrets', 'migration')
    .option('--continue', 'go on with a migration that was broken off')
    .option('--accept', 'move also what is to be checked first')
    .option('--grace <seconds>', 'before 3.5: for the tasks of a deleted connector to end', '30')
    .option('--start-within <seconds>', 'for a connector to run here', '60')
    .action(cli.action(run))
}

async function run(session: Session, options: Options): Promise<void> {
  const { client, out } = session
  const { server, ...login } = client.target
  const [old, here] = [await OldConnect.read(restOf(options.from)), restOf(server.href, login)]
  if (old.rest.url === here.url) throw usageError(`${here.url} is both ends.`, 'Name the old one by --from, and this one by --server.') // prettier-ignore
  const folder = new SaveFolder(options.save)
  const workerConfig = options.workerConfig === undefined ? null : await propertiesOf(options.workerConfig)
  const times = { graceMs: milliseconds('--grace', options.grace), startMs: milliseconds('--start-within', options.startWithin) } // prettier-ignore
  const connectors = await chosen(old, folder, options)
  const ours = new Set<string>()
  for (const { name } of connectors) if (await begunHere(folder, name, options)) ours.add(name)
  const reports = await reportOn(old, here, connectors, { workerConfig, ours })
  if (options.apply !== true) {
    if (out.format === 'table') return out.line(reportText(old, here, reports))
    const rows = reports.map(({ name, class: of, state, verdict }) => [name, of, state, VERDICTS[verdict]])
    const value = { from: old.rest.url, version: old.version, connectors: reports }
    return out.show({ value, names: reports.map(({ name }) => name), columns: [], rows })
  }
  const moved: Moved[] = []
  for (const connector of connectors) {
    const begun = await folder.read(connector.name)
    const refused =
      begun !== null && options.continue !== true && begun.step !== 'saved'
        ? `It was begun before (${folder.path}). Go on with --continue, or name another folder by --save.`
        : refusal(
            reports.find(({ name }) => name === connector.name)!,
            options,
          )
    if (refused !== null) {
      moved.push({ name: connector.name, outcome: 'stays', offsets: 0, left: 0, error: refused })
      continue
    }
    const parts = { old, here, folder, workerConfig, tell: (what: string) => out.note(what) }
    const settleMs = Math.min(1000, times.startMs / 10)
    moved.push(await moveConnector(connector, begun, { ...parts, ...times, settleMs }))
    // What went wrong with one may go wrong with the next.
    if (moved.at(-1)!.outcome === 'stuck') break
  }
  out.show({
    value: { from: old.rest.url, moved },
    names: moved.flatMap(({ name, outcome }) => (outcome === 'moved' ? [name] : [])),
    columns: ['CONNECTOR', 'OUTCOME', 'OFFSETS', 'WHY'],
    rows: moved.map(({ name, outcome, offsets, left, error }) => {
      return [name, outcome.replace('_', ' '), left > 0 ? `${offsets} (${left} left)` : offsets, error]
    }),
    none: `${old.rest.url} has no connector.`,
  })
  session.exit(moved.every(({ outcome }) => outcome === 'moved') ? EXIT.done : EXIT.failed)
}

function milliseconds(option: string, text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 3600)) throw usageError(`${option} ${text} is no number of seconds from 0 to 3600.`)
  return value * 1000
}

/** Those of the old Kafka Connect, and with `--continue` those that are deleted there and not here yet. */
async function chosen(old: OldConnect, folder: SaveFolder, { only, ...options }: Options): Promise<OldConnector[]> {
  const all = new Map(old.connectors.map((one) => [one.name, one]))
  if (options.continue === true)
    for (const { old: saved, step } of await folder.all()) if (step !== 'saved') all.set(saved.name, saved)
  const unknown = (only ?? []).filter((name) => !all.has(name))
  if (unknown.length > 0) throw new MigrateError(`${old.rest.url} has no connector ${unknown.join(', ')}`)
  return [...all.values()].filter(({ name }) => only === undefined || only.includes(name))
}

async function begunHere(folder: SaveFolder, name: string, options: Options): Promise<boolean> {
  return options.continue === true && ((await folder.read(name))?.step ?? 'saved') !== 'saved'
}

/** Why the connector is not moved; null: it is. */
function refusal({ verdict, findings }: ConnectorReport, { accept }: Options): string | null {
  const of = (level: string): string =>
    findings
      .filter((one) => one.level === level)
      .map((one) => one.text)
      .join(' ')
  if (verdict === 'missing') return of('missing')
  if (verdict === 'check' && accept !== true) return `${of('check')} Move it nevertheless with --accept.`
  return null
}

/** A file of Java properties, as far as files of Kafka's workers use them. */
async function propertiesOf(file: string): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new MigrateError(`${file} cannot be read: ${(cause as Error).message}`, cause)
  }
  const lines = text.replaceAll(/\\\r?\n[ \t]*/g, '').split(/\r?\n/)
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, key, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line) ?? []
      return key === undefined ? [] : [[key, value!]]
    }),
  )
}
