import { readFile } from 'node:fs/promises'
import { stringifyJson } from '@tributary/config'
import { Command, InvalidArgumentError, Option } from 'commander'
import { moveConnector, type Moved } from './move.ts'
import { type Config, OldConnect, type OldConnector } from './old-connect.ts'
import { movedTable, reportText } from './print.ts'
import { type ConnectorReport, reportOn } from './report.ts'
import { MigrateError, type Rest, restOf } from './rest.ts'
import { SaveFolder } from './saved.ts'

interface Options {
  readonly from: string
  readonly only?: readonly string[]
  readonly workerConfig?: string
  readonly apply?: true
  readonly save: string
  readonly continue?: true
  readonly accept?: true
  readonly grace: number
  readonly timeout: number
  readonly output: 'table' | 'json'
}

/** What the command needs of the command line that it is a part of. */
export interface MigrateFrame {
  /** The API of Tributary. */
  readonly here: () => Rest | Promise<Rest>
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** 0: all is well. 1: a connector did not move. */
  readonly exit: (code: number) => void
}

/** `tributary migrate`: see docs/migrating.md. */
export function migrateCommand(frame: MigrateFrame): Command {
  return new Command('migrate')
    .description('Report on the connectors of a running Kafka Connect, and move them here')
    .requiredOption('--from <url>', 'REST API of the old Kafka Connect, such as http://old-connect:8083')
    .option('--only <name...>', 'these connectors alone')
    .option('--worker-config <file>', "the old worker's properties: its converters are those of connectors without any")
    .option('--apply', 'move them: one after the other, configuration and offsets; without it nothing is changed')
    .option('--save <dir>', 'folder for what is needed to go on or back; it holds secrets', 'migration')
    .option('--continue', 'go on with a migration that was broken off')
    .option('--accept', 'move connectors also if something of them is to be checked first')
    .option('--grace <s>', 'before 3.5: time for the tasks of a deleted connector to end', seconds, 30)
    .option('--timeout <s>', 'time for a connector to run here', seconds, 60)
    .addOption(new Option('-o, --output <form>', 'form of the output').choices(['table', 'json']).default('table'))
    .action(async (options: Options) => {
      try {
        frame.exit(await migrate(options, frame))
      } catch (error) {
        if (!(error instanceof MigrateError)) throw error
        frame.err(`${error.message}.\n`)
        frame.exit(1)
      }
    })
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 3600)) throw new InvalidArgumentError('It must be a number of seconds from 0 to 3600.')
  return value
}

async function migrate(options: Options, frame: MigrateFrame): Promise<number> {
  const here = await frame.here()
  const old = await OldConnect.read(restOf(options.from))
  if (old.rest.url === here.url) throw new MigrateError(`${here.url} is both ends. Name the old one with --from`)
  const folder = new SaveFolder(options.save)
  const workerConfig = options.workerConfig === undefined ? null : await propertiesOf(options.workerConfig)
  const connectors = await chosen(old, folder, options)
  const ours = new Set<string>()
  for (const { name } of connectors) if (await begunHere(folder, name, options)) ours.add(name)
  const reports = await reportOn(old, here, connectors, { workerConfig, ours })
  if (options.apply !== true) {
    if (options.output === 'json')
      frame.out(`${stringifyJson({ from: old.rest.url, version: old.version, connectors: reports })}\n`)
    else frame.out(reportText(old, here, reports))
    return 0
  }
  const moved: Moved[] = []
  for (const connector of connectors) {
    const begun = await folder.read(connector.name)
    const refused =
      begun !== null && options.continue !== true && begun.step !== 'saved'
        ? `It was begun before (${folder.path}). Go on with --continue, or name another folder with --save.`
        : refusal(
            reports.find(({ name }) => name === connector.name)!,
            options,
          )
    if (refused !== null) {
      moved.push({ name: connector.name, outcome: 'stays', offsets: 0, left: 0, error: refused })
      continue
    }
    const common = { old, here, folder, workerConfig, tell: (what: string) => frame.err(`${what}\n`) }
    const times = {
      graceMs: options.grace * 1000,
      startMs: options.timeout * 1000,
      settleMs: Math.min(1000, options.timeout * 100),
    }
    moved.push(await moveConnector(connector, begun, { ...common, ...times }))
    // What went wrong with one may go wrong with the next.
    if (moved.at(-1)!.outcome === 'stuck') break
  }
  frame.out(options.output === 'json' ? `${stringifyJson({ from: old.rest.url, moved })}\n` : movedTable(moved))
  return moved.every(({ outcome }) => outcome === 'moved') ? 0 : 1
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
    throw new MigrateError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const lines = text.replaceAll(/\\\r?\n[ \t]*/g, '').split(/\r?\n/)
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, key, value] = /^\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line) ?? []
      return key === undefined ? [] : [[key, value!]]
    }),
  )
}
