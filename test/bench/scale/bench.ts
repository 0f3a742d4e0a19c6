/**
 * What many streams cost one process: `npm run bench -- scale [grpc|ws] [--streams 1,10,100,1000] [--rates 10,100]`,
 * beside as many bare sockets on the same source. A stream is a connector of one task; all write to one topic of eight
 * partitions. Uses KAFKA_BROKERS, or starts a broker.
 */
import { inTurn, type Runs } from '../support/in-turn.ts'
import { readOptions } from '../support/options.ts'
import { protocols } from '../streams/protocols.ts'
import { startSource } from '../streams/source.ts'
import { warmUp } from '../streams/subjects.ts'
import { Rig } from '../support/rig.ts'
import { spread, table } from '../support/table.ts'
import { trees } from '../support/tree.ts'
import { measureService, measureSockets, type Scale, type ScaleLoad } from './measure.ts'

const options = readOptions(['grpc', 'ws'] as const, ['streams', 'rates', 'seconds', 'pairs'])
const rig = await Rig.create()
const all = await trees(options.folders)
const rows: string[][] = []

function addRows({ streams, rate }: ScaleLoad, runs: Runs<Scale>): void {
  const columns = ['cpuUs', 'p50', 'p99', 'slowestP99', 'rssMiB', 'toSource', 'toKafka', 'requests', 'newRunningMs', 'runningMs', 'lost'] as const // prettier-ignore
  for (const [name, figures] of runs) {
    const cells = columns.map((column) => {
      const values = figures.map((f) => f[column] ?? NaN)
      if (values.some((n) => Number.isNaN(n))) return '–'
      return spread(values, ['cpuUs', 'p50', 'p99', 'slowestP99'].includes(column) ? 1 : 0)
    })
    rows.push([`${streams.toLocaleString('en')} × ${rate}/s`, name, ...cells])
  }
}

for (const name of options.sections) {
  const protocol = protocols[name]
  await warmUp(rig, all, protocol.app)
  for (const rate of options.list('rates', [10, 100])) {
    for (const streams of options.list('streams', [1, 10, 100, 1000])) {
      const load = { streams, rate, seconds: options.number('seconds', 8) }
      // A source of its own, so that no stream of the run before is left.
      const source = await startSource()
      const subjects = [
        ...(options.alone ? [] : [0, 1]).map((ms) => ({
          name: ms === 0 ? 'bare sockets' : 'bare sockets, read each ms',
          measure: () => measureSockets(protocol, source, load, ms),
        })),
        ...all.map((tree) => ({ name: tree.name, measure: () => measureService(rig, tree, protocol, source, load) })),
      ]
      addRows(load, await inTurn(options.number('pairs', 1), subjects, () => rig.clean()))
      await source.process.stop()
    }
  }
  const head = ['streams', name, 'µs CPU a message', 'p50 ms', 'p99 ms', 'slowest stream’s p99', 'MiB', 'sockets to the source', 'to Kafka', 'requests a second', 'new: all RUNNING, ms', 'start: all RUNNING, ms', 'lost'] // prettier-ignore
  console.log(`\n${table(head, rows.splice(0))}`)
}
await rig.close()
