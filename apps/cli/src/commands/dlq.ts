import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import { milliseconds } from '../config.ts'
import type { Cell } from '../output.ts'
import { bytesText, type ShownBytes, wholeNumber } from './plugins.ts'
import { replayRows, type Replay, replayColumns } from './replays.ts'

interface Letter {
  readonly dlq_id: string
  readonly connector: string | null
  readonly original_topic: string | null
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly error_type: string
  readonly error_message: string | null
  readonly resolution_status: string
  readonly retry_count: number
  readonly first_failed_at: string | null
}

interface Filter {
  readonly connector?: string
  readonly topic?: string
  readonly table?: string
  readonly errorType?: string
  readonly status?: string
  readonly since?: string
  readonly until?: string
  readonly text?: string
}

const WAIT = '600'
const POLL_MS = 500

/** `dlq list|show|stats|replay|replays|cancel|discard|annotate|reopen`. */
export const dlq: Family = (program, cli) => {
  const group = program
    .command('dlq')
    .summary('dead letters: list, show, stats, replay, discard, …')
    .description(
      'Dead letters: records that no connector could take. They are replayed by the task that failed on them.',
    )

  filtered(group.command('list').alias('ls').description('List dead letters, the newest first.'))
    .option('--limit <number>', 'at most so many: 1 to 1000', '50')
    .option('--cursor <text>', 'goes on after a list before')
    .action(cli.action(list))

  group
    .command('show')
    .argument('<id>')
    .description('Show a dead letter with its record, its error, and what was done about it.')
    .action(cli.action(show))

  filtered(group.command('stats').description('Count dead letters by type, status, connector and topic.')).action(cli.action(stats)) // prettier-ignore

  const replay = group.command('replay').argument('[ids...]').description('Replay dead letters by id or by a filter, in the background: see `replays`.') // prettier-ignore
  filtered(replay)
    .option('--limit <number>', 'at most so many, the oldest first (default 1000)')
    .option('--rate <number>', 'at most so many a second')
    .option('--at <time>', 'not before this time')
    .option('--edit <rule...>', 'field:cast:type, field:mask, or field:replace:value')
    .option('--target-topic <topic>', 'to this topic instead')
    .option('--force', 'quarantined and superseded ones, too')
    .option('--dry-run', 'only try, and write nothing')
    .option('--notes <text>', 'stay with the letters')
    .option('-w, --wait', 'until it has ended')
    .option('--wait-for <seconds>', `at most so long (default ${WAIT}); means --wait`)
    .action(cli.action(startReplay))

  group.command('replays').argument('[id]').description('List replays, or show one with what has failed.').action(cli.action(replays)) // prettier-ignore
  group
    .command('cancel')
    .argument('<replay>')
    .description('Cancel a replay. What it has written stays written.')
    .action(
      cli.action(async ({ client, out }: Session, _: object, id: string) => {
        const replayed = (await client.send('POST', at`/dlq/replay/${id}/cancel`)) as Replay
        out.show({ value: replayed, names: [replayed.replay_id], columns: replayColumns, rows: replayRows([replayed]) })
      }),
    )

  change(group.command('discard'), 'Give dead letters up: no replay by filter takes them.', 'discard')
  change(group.command('annotate'), 'Write a note to dead letters.', 'annotate')
  change(group.command('reopen'), 'Make dead letters UNRESOLVED again.', 'reopen')

  function change(command: Command, description: string, verb: 'discard' | 'annotate' | 'reopen'): void {
    filtered(command.argument('[ids...]').description(description))
      .option('--limit <number>', 'at most so many (default 1000)')
      .option('--notes <text>', 'the note')
      .option('-y, --yes', 'do not ask before all of a filter are discarded')
      .action(
        cli.action(
          async (session: Session, options: Filter & { limit?: string; notes?: string; yes?: true }, ids: string[]) => {
            const { client, out } = session
            if (verb === 'annotate' && options.notes === undefined) throw usageError('dlq annotate needs --notes TEXT.')
            const body = { ...lettersOf(options, ids), ...(options.notes !== undefined && { resolution_notes: options.notes }) } // prettier-ignore
            if (verb === 'discard' && ids.length === 0) await session.confirm(`This discards up to ${body.limit ?? 1000} dead letters`, options.yes) // prettier-ignore
            const answer = (await client.send('POST', `/dlq/${verb}`, { body })) as { count: number; message: string }
            out.done(answer.message)
            if (out.format !== 'table')
              out.show({ value: answer, names: [String(answer.count)], columns: [], rows: [] })
          },
        ),
      )
  }
}

function filtered(command: Command): Command {
  return command
    .option('--connector <names>', 'of these, with commas between')
    .option('--topic <names>', 'of these dead-letter topics')
    .option('--table <names>', 'meant for these topics or tables')
    .option('--error-type <types>', 'such as SCHEMA_MISMATCH')
    .option('--status <states>', 'such as UNRESOLVED')
    .option('--since <time>', 'failed since: ISO 8601, a date, or 2h, 3d ago')
    .option('--until <time>', 'failed until')
    .option('--text <words>', 'words of the error, of key or value')
}

/** The filter in the API's words. */
function queryOf({ connector, topic, table, errorType, status, since, until, text }: Filter) {
  const all = { connector, topic, table, error_type: errorType, status, start_date: time(since), end_date: time(until), text } // prettier-ignore
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>
}

function lettersOf(options: Filter & { limit?: string }, ids: readonly string[]) {
  const filter = queryOf(options)
  if (ids.length === 0 && Object.keys(filter).length === 0) {
    throw usageError('Which dead letters? Name their ids, or a filter.', '`tributary dlq list` shows them; `--status UNRESOLVED` takes all that are open.') // prettier-ignore
  }
  const limit = options.limit === undefined ? undefined : wholeNumber('--limit', options.limit)
  return { ...(ids.length > 0 && { dlq_ids: ids }), ...filter, ...(limit !== undefined && { limit }) }
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `2h`: so long ago. */
function time(text: string | undefined): string | undefined {
  const ago = /^(\d{1,6})([smhd])$/.exec(text ?? '')
  if (ago === null) return text
  return new Date(Date.now() - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS]).toISOString()
}

async function list({ client, out }: Session, options: Filter & { limit: string; cursor?: string }): Promise<void> {
  const { limit, cursor } = options
  const answer = (await client.get('/dlq/records', { query: { ...queryOf(options), limit, cursor } })) as {
    readonly total: number
    readonly records: readonly Letter[]
    readonly pagination: { readonly next_cursor: string | null }
  }
  const { records, total, pagination } = answer
  out.show({
    value: answer,
    names: records.map((letter) => letter.dlq_id),
    columns: ['ID', 'FAILED', 'CONNECTOR', 'TYPE', 'STATUS', 'ERROR'],
    rows: records.map((each): Cell[] => [each.dlq_id, each.first_failed_at, each.connector ?? each.topic, each.error_type, each.resolution_status, each.error_message]), // prettier-ignore
    none: 'No dead letters.',
  })
  if (pagination.next_cursor !== null && out.format === 'table') out.note(`${records.length} of ${total}; more: --cursor ${pagination.next_cursor}`) // prettier-ignore
}

interface WholeLetter extends Letter {
  readonly key: ShownBytes
  readonly value: ShownBytes
  readonly headers: readonly { readonly name: string; readonly value: ShownBytes }[]
  readonly history: readonly { readonly at: string; readonly kind: string; readonly by: string; readonly notes: string | null; readonly error_message: string | null }[] // prettier-ignore
}

async function show({ client, out }: Session, _: object, id: string): Promise<void> {
  const letter = (await client.get(at`/dlq/records/${id}`)) as WholeLetter
  out.show({
    value: letter,
    names: [letter.dlq_id],
    columns: ['WHAT', ''],
    rows: [
      ['id', letter.dlq_id],
      ['status', letter.resolution_status],
      ['failed', letter.first_failed_at],
      ['connector', letter.connector],
      ['meant for', letter.original_topic],
      ['kept at', `${letter.topic}-${letter.partition}@${letter.offset}`],
      ['error', `${letter.error_type}: ${letter.error_message ?? ''}`],
      ['failed replays', letter.retry_count],
      ['key', bytesText(letter.key)],
      ['value', bytesText(letter.value)],
      ...letter.headers.filter(({ name }) => !/^__(connect|tributary)\.errors/.test(name)).map(({ name, value }): Cell[] => [`header ${name}`, bytesText(value)]), // prettier-ignore
      ...letter.history.map(({ at: when, kind, by, notes, error_message: error }): Cell[] => [kind, [when, by, notes, error].filter(Boolean).join(', ')]), // prettier-ignore
    ],
  })
}

async function stats({ client, out }: Session, options: Filter): Promise<void> {
  const answer = (await client.get('/dlq/stats', { query: queryOf(options) })) as Record<string, Record<string, number> | number> // prettier-ignore
  const rows = Object.entries(answer).flatMap(([by, counts]): Cell[][] =>
    typeof counts === 'number'
      ? [['total', '', counts]]
      : Object.entries(counts).map(([of, count]) => [by.replace(/^by_/, '').replaceAll('_', ' '), of, count]),
  )
  out.show({ value: answer, names: [], columns: ['BY', 'OF', 'COUNT'], rows })
}

interface ReplayOptions extends Filter {
  readonly limit?: string
  readonly rate?: string
  readonly at?: string
  readonly edit?: readonly string[]
  readonly targetTopic?: string
  readonly force?: true
  readonly dryRun?: true
  readonly notes?: string
  readonly wait?: true
  readonly waitFor?: string
}

async function startReplay(session: Session, options: ReplayOptions, ids: readonly string[]): Promise<void> {
  const { client, out } = session
  const { rate, at: when, edit = [], targetTopic, force, dryRun, notes } = options
  if (rate !== undefined && !(Number(rate) > 0)) throw usageError(`--rate ${rate} is no number above 0.`)
  const body = {
    ...lettersOf(options, ids),
    ...(rate !== undefined && { retry_strategy: 'rate_limited', rate: Number(rate) }),
    ...(when !== undefined && { scheduled_time: when, ...(rate === undefined && { retry_strategy: 'scheduled' }) }),
    ...(edit.length > 0 && { transform_rules: edit.map(ruleOf) }),
    ...(targetTopic !== undefined && { target_topic: targetTopic }),
    ...(notes !== undefined && { resolution_notes: notes }),
    ...(force && { force }),
    ...(dryRun && { dry_run: true }),
  }
  const answer = (await client.send('POST', '/dlq/replay', { body, ...(dryRun && { timeoutMs: 120_000 }) })) as Tried & Replay & { message?: string } // prettier-ignore
  if (dryRun) return tried(session, answer)
  const seconds = options.waitFor ?? (options.wait ? WAIT : undefined)
  const ended = seconds === undefined ? null : await untilEnded(session, answer.replay_id, milliseconds(seconds))
  if (ended === null && out.format === 'table') {
    out.done(answer.message ?? `${answer.dlq_ids_count} dead letters are replayed.`)
    return out.done(`tributary dlq replays ${answer.replay_id}`)
  }
  out.show({ value: ended ?? answer, names: [answer.replay_id], columns: replayColumns, rows: ended === null ? [] : replayRows([ended]) }) // prettier-ignore
  if (ended !== null && ended.status !== 'completed') {
    throw new CliError(EXIT.failed, `The replay ${ended.replay_id} is ${ended.status}: ${ended.results.failed} letters failed again.`, `\`tributary dlq replays ${ended.replay_id}\` says why.`) // prettier-ignore
  }
}

interface Tried {
  readonly results: Readonly<Record<string, number>>
  readonly records: readonly { readonly dlq_id: string; readonly connector: string | null; readonly outcome: string; readonly error_message?: string }[] // prettier-ignore
}

function tried({ out }: Session, answer: Tried): void {
  out.show({
    value: answer,
    names: answer.records.map((letter) => letter.dlq_id),
    columns: ['ID', 'CONNECTOR', 'OUTCOME', 'ERROR'],
    rows: answer.records.map((each) => [each.dlq_id, each.connector, each.outcome, each.error_message]),
    none: 'No dead letters.',
  })
}

/** `price:cast:double`, `card:mask`, `currency:replace:"EUR"`: the value is JSON where it can be, else text. */
export function ruleOf(text: string): object {
  const found = /^(.+?):(cast|mask|replace)(?::([^]*))?$/.exec(text)
  if (found === null) throw usageError(`--edit ${text} is no rule.`, 'Write field:cast:int, field:mask, or field:replace:value.') // prettier-ignore
  const [, field, operation, value] = found
  if (value === undefined) return { field, operation }
  return { field, operation, value: operation === 'replace' ? jsonOrText(value) : value }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

const ENDED = ['completed', 'partially_completed', 'failed', 'cancelled']

async function untilEnded({ client }: Session, id: string, timeoutMs: number): Promise<Replay> {
  const begin = Date.now()
  for (;;) {
    const replay = (await client.get(at`/dlq/replay/${id}`)) as Replay
    if (ENDED.includes(replay.status)) return replay
    if (Date.now() - begin > timeoutMs) {
      const why = replay.waiting_for === null ? '' : ` It waits: ${replay.waiting_for}`
      throw new CliError(EXIT.differs, `The replay ${id} is ${replay.status} after ${timeoutMs / 1000} s, and goes on.${why}`, `\`tributary dlq replays ${id}\` says how far it is.`) // prettier-ignore
    }
    await sleep(POLL_MS)
  }
}

async function replays({ client, out }: Session, _: object, id?: string): Promise<void> {
  const answer = await client.get(id === undefined ? '/dlq/replay' : at`/dlq/replay/${id}`)
  const all = id === undefined ? (answer as { replays: Replay[] }).replays : [answer as Replay]
  out.show({ value: answer, names: all.map((each) => each.replay_id), columns: replayColumns, rows: replayRows(all), none: 'There was no replay.' }) // prettier-ignore
  if (id === undefined) return
  for (const { waiting_for: waits, failed_events: failed } of all) {
    if (waits) out.done(`It waits: ${waits}`)
    for (const { dlq_id: letter, error_type: type, error_message: message } of failed) out.done(`  ${letter}: ${type}: ${message}`) // prettier-ignore
  }
}
