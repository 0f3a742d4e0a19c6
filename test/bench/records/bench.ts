/**
 * What transforms and converters cost: `npm run bench -- transforms` and `npm run bench -- converters`. `alone`: the runtime's
 * encoder in this process, CPU and allocation a record. `full`: one gRPC stream of grpc-go at full speed, the rows in turn. Needs a
 * quiet machine; uses KAFKA_BROKERS, or starts a broker; the converters with schemas want a registry, and start Apicurio (Java 21).
 */
import { inTurn, ratios } from '../support/in-turn.ts'
import { readOptions } from '../support/options.ts'
import { Rig } from '../support/rig.ts'
import { machine, round, spread, table } from '../support/table.ts'
import { type Tree, trees } from '../support/tree.ts'
import { fullSpeed, speedTable } from '../streams/full-speed.ts'
import { grpc } from '../streams/protocols.ts'
import { type Source, startSource } from '../streams/source.ts'
import { warmUp } from '../streams/subjects.ts'
import { alone } from './alone.ts'
import { type Row, ROUTED } from './settings.ts'

const SECTIONS = ['alone', 'full'] as const

/** The first row is what the others are compared with. */
export async function benchRecords(title: string, rows: readonly Row[]): Promise<void> {
  const options = readOptions(SECTIONS, ['pairs', 'messages'])
  console.log(`\n${machine}`)
  if (options.sections.has('alone')) await encoderAlone(title, rows)
  if (!options.sections.has('full')) return
  const [pairs, count] = [options.number('pairs', 3), options.number('messages', 250_000)]
  const rig = await Rig.create()
  const [tree] = await trees(options.folders)
  await warmUp(rig, [tree!], grpc.app)
  const source = await startSource()
  const subjects = rows.map((row) => ({
    name: row.name,
    measure: () => fullSpeed(rig, (topic) => start(rig, tree!, source, topic, count, row), count),
  }))
  const runs = await inTurn(pairs, subjects, () => rig.clean())
  console.log(`\n${speedTable(`${title}: grpc-go, medians of ${pairs}`, runs)}`)
  const first = rows[0]!.name
  for (const { name, against = first } of rows) {
    if (name === against) continue
    const speed = spread(ratios(runs, name, against, (s) => s.perSecond), 2) // prettier-ignore
    const cpu = spread(ratios(runs, name, against, (s) => s.cpuUs), 2) // prettier-ignore
    console.log(`\n${name} / ${against}: ${speed} of the messages a second, ${cpu} of the CPU a message`)
  }
  await source.process.stop()
  await rig.close()
}

async function start(rig: Rig, tree: Tree, source: Source, topic: string, count: number, { props, routed }: Row) {
  // RegexRouter takes the ending off, so that the records arrive in the topic that is watched.
  const from = routed === true ? `${topic}${ROUTED}` : topic
  const cluster = await rig.cluster([grpc.connector(source, from, { count }, props)])
  return rig.startService(tree, grpc.app, cluster)
}

async function encoderAlone(title: string, rows: readonly Row[]): Promise<void> {
  const cells: (string | number)[][] = []
  for (const { name, props, plain } of rows) {
    if (props['grpc.value.format'] !== 'struct') continue
    const { cpuUs, allocated, bytes } = await alone(props, plain !== true)
    cells.push([name, round(cpuUs, 2), round(allocated), round(bytes)])
  }
  console.log(
    `\n${table([`${title}: the encoder alone`, 'µs CPU a record', 'bytes allocated a record', 'bytes written'], cells)}`,
  )
}
