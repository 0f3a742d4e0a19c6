import { HIDDEN } from '@tributary/config'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import { type ConnectorDocument, readConnectors } from '../documents.ts'
import type { Cell } from '../output.ts'

/** Bytes of a record as the server shows them. */
export type ShownBytes = null | { readonly text?: string; readonly base64?: string; readonly size: number }

interface PreviewRecord {
  readonly outcome: string
  readonly written?: Written
  readonly dead_letter?: Written
  readonly error?: { readonly message: string }
  readonly filtered_by?: string
}

interface Written {
  readonly topic: string
  readonly key: ShownBytes
  readonly value: ShownBytes
}

/** Above the ten seconds of the longest preview. */
const PREVIEW_TIMEOUT_MS = 60_000

/** `plugins`, `validate` and `preview`: what can be said before a connector is there. */
export const plugins: Family = (program, cli) => {
  program
    .command('plugins')
    .argument('[class]', 'its settings')
    .summary('classes of connectors, or the settings of one')
    .description('List the classes of connectors, or the settings of one class.')
    .option('-a, --all', 'converters, transforms and predicates, too')
    .action(cli.action(list))

  program
    .command('validate')
    .summary('check the configurations of files')
    .description(
      'Check the configurations of files by the workers that would run them. Nothing is stored.\nEnds with 1 when one has errors.',
    ) // prettier-ignore
    .requiredOption('-f, --file <path...>', 'files, folders, or - for stdin')
    .action(cli.action(validate))

  program
    .command('preview')
    .argument('[connector]', 'one that exists')
    .summary('records as a configuration would write them')
    .description('Show records as a connector would write them. Nothing is produced.')
    .option('-f, --file <file>', 'the configuration to try, or - for stdin')
    .option('--records <number>', 'at most so many: 1 to 100', '10')
    .option('--seconds <number>', 'at most so long: 1 to 10', '5')
    .option('--task <number>', 'the task that reads', '0')
    .option('--force', 'although a running connector may be disturbed')
    .action(cli.action(preview))
}

async function list({ client, out }: Session, { all }: { all?: true }, of?: string): Promise<void> {
  if (of === undefined) {
    const found = (await client.get('/connector-plugins', { query: { connectorsOnly: all !== true } })) as { class: string; type: string; version?: string }[] // prettier-ignore
    return out.show({
      value: found,
      names: found.map((each) => each.class),
      columns: ['CLASS', 'TYPE', 'VERSION'],
      rows: found.map((each) => [each.class, each.type, each.version]),
      none: 'No worker has told its classes yet.',
    })
  }
  type Key = { name: string; type: string; required: boolean; default_value: string | null; importance: string; documentation: string } // prettier-ignore
  const keys = (await client.get(at`/connector-plugins/${of}/config`)) as Key[]
  out.show({
    value: keys,
    names: keys.map(({ name }) => name),
    columns: ['SETTING', 'TYPE', 'DEFAULT', 'MEANING'],
    rows: keys.map(({ name, type, required, default_value: byDefault, documentation }): Cell[] => [name, type.toLowerCase(), required ? '(required)' : byDefault, documentation]), // prettier-ignore
  })
}

interface Infos {
  readonly error_count: number
  readonly configs: readonly { readonly value: { readonly name: string; readonly errors: readonly string[] } }[]
}

async function validate({ client, out, io, exit }: Session, { file }: { file: string[] }): Promise<void> {
  const all: { name: string; from: string; errors: { key: string; message: string }[] }[] = []
  for (const document of await readConnectors(file, io.stdin)) {
    const { name, from, config } = document
    const of = classOf(document)
    const { configs } = (await client.send('PUT', at`/connector-plugins/${of}/config/validate`, { body: { ...config, name } })) as Infos // prettier-ignore
    const errors = configs.flatMap(({ value }) => value.errors.map((message) => ({ key: value.name, message })))
    all.push({ name, from, errors })
  }
  out.show({
    value: all,
    names: all.filter(({ errors }) => errors.length > 0).map(({ name }) => name),
    columns: ['CONNECTOR', 'SETTING', 'ERROR'],
    rows: all.flatMap(({ name, errors }): Cell[][] => errors.map(({ key, message }) => [name, key, message])),
    none: `No errors in ${all.map(({ name }) => name).join(', ')}.`,
  })
  if (all.some(({ errors }) => errors.length > 0)) exit(EXIT.failed)
}

function classOf({ name, config, from }: ConnectorDocument): string {
  const of = config['connector.class']
  if (of === undefined) throw usageError(`${from}: ${name} has no connector.class.`, '`tributary plugins` lists the classes.') // prettier-ignore
  return of
}

interface PreviewOptions {
  readonly file?: string
  readonly records: string
  readonly seconds: string
  readonly task: string
  readonly force?: true
}

async function preview({ client, out, io }: Session, options: PreviewOptions, name?: string): Promise<void> {
  const { file, records, seconds, task, force } = options
  if (name === undefined && file === undefined) throw usageError('preview needs a connector, -f FILE, or both.')
  const [document, more] = file === undefined ? [] : await readConnectors([file], io.stdin)
  if (more !== undefined) throw usageError(`${file} describes several connectors, and a preview is of one.`)
  const hidden = Object.entries(document?.config ?? {}).find(([, value]) => value === HIDDEN)
  if (hidden !== undefined && name === undefined) throw usageError(`${hidden[0]} is ${HIDDEN}, the mask of a secret.`, `Name the connector, whose secret is then used: tributary preview ${document!.name} -f ${file}`) // prettier-ignore
  const path =
    name === undefined ? at`/connector-plugins/${classOf(document!)}/preview` : at`/connectors/${name}/preview`
  const config = document && { ...document.config, name: name ?? document.name }
  const answer = (await client.send('POST', path, {
    query: { records, seconds, task, ...(force && { force }) },
    body: config ?? {},
    timeoutMs: PREVIEW_TIMEOUT_MS,
  })) as { records: PreviewRecord[]; reason: string; notes: string[]; source: string | null; caution: string | null }
  out.show({
    value: answer,
    names: answer.records.map(({ outcome }) => outcome),
    columns: ['OUTCOME', 'TOPIC', 'KEY', 'VALUE'],
    rows: answer.records.map(rowOf),
    none: 'No record came.',
  })
  if (out.format !== 'table') return
  for (const words of [answer.reason, answer.source, answer.caution, ...answer.notes]) if (words) out.note(words)
}

function rowOf({ outcome, written, dead_letter: letter, error, filtered_by: by }: PreviewRecord): Cell[] {
  const record = written ?? letter
  if (record === undefined)
    return [outcome, null, null, error?.message ?? (by === undefined ? null : `filtered by ${by}`)]
  return [outcome, record.topic, bytesText(record.key), bytesText(record.value)]
}

/** What of the bytes is fit for a line. */
export function bytesText(bytes: ShownBytes | undefined): string | null {
  if (bytes === null || bytes === undefined) return null
  return bytes.text ?? `${bytes.size} bytes: ${bytes.base64 ?? ''}`
}

/** Exported for `dlq`, too: a number of an option. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CliError(EXIT.usage, `${option} ${text} is no whole number.`)
}
