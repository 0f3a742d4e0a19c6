import { parseArgs } from 'node:util'
import { KafkaAdmin, KafkaError, tailTopic, type LogRecord } from '@tributary/kafka'
import { LaunchError } from './errors.ts'
import { connectionFrom, readRunning } from './kafka.ts'
import { placesFrom } from './places.ts'

const help = `Shows the records of a topic of the Kafka that \`npm start\` runs, or that KAFKA_BROKERS names.

  npm run topic -- demo.quotes                    the last 10 records of each partition, then new ones until Ctrl-C
  npm run topic -- demo.quotes --last 100         begins 100 records before the end
  npm run topic -- demo.quotes --from-beginning
  npm run topic -- demo.quotes --max 5            ends after 5 records
`

/** Prints one line for each record: `partition:offset  time  key  value`. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      last: { type: 'string', default: '10' },
      'from-beginning': { type: 'boolean', default: false },
      max: { type: 'string' },
    },
  })
  const [topic] = positionals
  if (values.help || topic === undefined) {
    process.stdout.write(help)
    process.exit(values.help ? 0 : 1)
  }
  const connection = connectionFrom({ ...process.env, KAFKA_BROKERS: brokers() })
  const last = values['from-beginning'] ? null : BigInt(count('last', values.last))
  const from = await firstOffsets(new KafkaAdmin(connection, { timeoutMs: 10_000 }), topic, last)

  const end = new AbortController()
  process.on('SIGINT', () => end.abort())
  // The reader of the pipe, such as `head`, has seen enough.
  process.stdout.on('error', () => end.abort())
  let left = values.max === undefined ? Infinity : count('max', values.max)
  const onRecords = (records: readonly LogRecord[]): void => {
    for (const record of records) {
      if (left-- > 0) process.stdout.write(`${format(record)}\n`)
    }
    if (left <= 0) end.abort()
  }
  try {
    await tailTopic({ connection, topic, from, onRecords }, end.signal)
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
}

function count(option: string, value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new LaunchError(`--${option} wants a number of records, not ${value}.`)
}

function brokers(): string {
  const given = process.env['KAFKA_BROKERS']
  if (given !== undefined && given !== '') return given
  const running = readRunning(placesFrom(process.env).running)
  if (running !== undefined) return running.brokers.join(',')
  throw new LaunchError('No Kafka is running: start one with `npm start`, or set KAFKA_BROKERS.')
}

/** @returns partition → the offset `last` records before its end; the partition's first offset when `last` is null. */
async function firstOffsets(admin: KafkaAdmin, topic: string, last: bigint | null): Promise<Map<number, bigint>> {
  try {
    const found = (await admin.describeTopics([topic])).get(topic)
    if (found === undefined || found === null) throw new LaunchError(`There is no topic ${topic}.`)
    const earliest = await admin.listOffsets(topic, 'earliest')
    if (last === null) return earliest
    const ends = await admin.listOffsets(topic, 'latest')
    return new Map(
      Array.from(ends, ([partition, offset]) => {
        const first = earliest.get(partition) ?? 0n
        return [partition, offset - last > first ? offset - last : first]
      }),
    )
  } finally {
    await admin.close()
  }
}

function format({ partition, offset, timestamp, key, value }: LogRecord): string {
  const time = new Date(timestamp).toISOString()
  return [`${partition}:${offset}`, time, key?.toString() ?? '-', value?.toString() ?? '(null)'].join('  ')
}

try {
  await main()
} catch (error) {
  const badArgument = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
  const known = badArgument || error instanceof LaunchError || error instanceof KafkaError
  console.error(known ? (error as Error).message : error)
  process.exit(1)
}
