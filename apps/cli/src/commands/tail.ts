import { parseJson } from '@tributary/config'
import { CliError, EXIT } from '../cli-error.ts'
import type { Family, Session } from '../cli.ts'
import { at } from '../client.ts'
import { clean } from '../output.ts'
import { bytesText, type ShownBytes } from './plugins.ts'

interface TailOptions {
  readonly records?: string
  readonly seconds?: string
  readonly rate?: string
  readonly topic?: string
}

interface TailRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number | bigint | null
  readonly timestamp: number | null
  readonly key: ShownBytes
  readonly value: ShownBytes
}

/** `tail`. */
export const tail: Family = (program, cli) => {
  program
    .command('tail')
    .argument('<connector>')
    .summary('records as Kafka gets them, until Ctrl-C')
    .description('Show the records of a connector as Kafka gets them, until Ctrl-C. With -o json one record a line.')
    .option('--records <number>', 'end after so many')
    .option('--seconds <number>', 'end after so long')
    .option('--rate <number>', 'at most so many a second, an even sample of more (default 100)')
    .option('--topic <topic>', 'of this topic alone')
    .action(cli.action(follow))
}

async function follow({ client, out, io }: Session, options: TailOptions, name: string): Promise<void> {
  const { records, seconds, rate, topic } = options
  const { interrupted } = io
  try {
    const answer = await client.stream(at`/connectors/${name}/tail`, { records, seconds, rate, topic }, interrupted)
    let ended = false
    for await (const { event, data } of eventsOf(answer)) {
      if (event === 'record') show(out, data as TailRecord)
      else if (event === 'end') ended = true
      if (event !== 'record' && out.format === 'table') out.note(noteOf(event, data))
    }
    if (!ended)
      throw new CliError(EXIT.unreachable, `${client.address} has cut the tail off.`, 'Run the command again.')
  } catch (error) {
    if (!interrupted.aborted) throw unexpected(error, client.address)
  }
}

function unexpected(error: unknown, address: string): Error {
  if (error instanceof CliError) return error
  return new CliError(EXIT.unreachable, `The connection to ${address} broke: ${(error as Error).message}.`, 'Run the command again.', error) // prettier-ignore
}

function show(out: Session['out'], record: TailRecord): void {
  const { topic, partition, offset, timestamp, key, value } = record
  if (out.format === 'json') return out.jsonLine(record)
  if (out.format === 'yaml') return out.documents([record, {}].slice(0, 1))
  const place = `${topic}-${partition}@${offset ?? '?'}`
  if (out.format === 'name') return out.line(clean(place))
  const time = timestamp === null ? '-' : new Date(timestamp).toISOString()
  out.line(clean(`${time}  ${place}  ${bytesText(key) ?? '-'}  ${bytesText(value) ?? '-'}`))
}

function noteOf(event: string, data: unknown): string {
  const { message, seen, shown, task, run, worker } = data as Record<string, string | number | undefined>
  if (message !== undefined) return String(message)
  if (event === 'sampled') return `${shown} of ${seen} records of the last second are shown.`
  if (event === 'task') return `Task ${task} has ${run} on ${worker}.`
  return event
}

/** The events of a text/event-stream whose data is JSON. Comments, which keep the connection open, are left out. */
export async function* eventsOf(
  parts: AsyncIterable<Buffer | string>,
): AsyncGenerator<{ event: string; data: unknown }> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const part of parts) {
    rest += typeof part === 'string' ? part : decoder.decode(part, { stream: true })
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop()!
    for (const block of blocks) {
      const fields = block.split(/\r?\n/)
      const valueOf = (name: string): string[] =>
        fields
          .filter((field) => field.startsWith(`${name}:`))
          .map((field) => field.slice(name.length + 1).replace(/^ /, ''))
      const data = valueOf('data')
      if (data.length > 0) yield { event: valueOf('event').at(-1) ?? 'message', data: parseJson(data.join('\n')) }
    }
  }
}
