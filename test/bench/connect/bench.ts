/**
 * The runtime's own cost: a file of lines of 100 bytes into a topic, by Kafka Connect 3.9.1 with its
 * FileStreamSourceConnector, and by the same source on our runtime (test/support/file-source.ts), in turn. Kafka
 * Connect's JVM stays up between its rows, so that it is warm from the second one on; our process starts anew for each.
 *
 * `npm run bench -- connect [--pairs 3] [--messages 1000000]`. Needs Java and Maven; uses KAFKA_BROKERS, or starts a
 * broker.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startKafkaConnect, temporaryFolder } from '@tributary/harness'
import { fullSpeed, type Measured, speedTable } from '../streams/full-speed.ts'
import { inTurn } from '../support/in-turn.ts'
import { readOptions } from '../support/options.ts'
import { Rig } from '../support/rig.ts'
import { trees } from '../support/tree.ts'
import { warmUp } from '../streams/subjects.ts'

const WORKER = 'test/bench/connect/file-worker.ts'
const LINE_BYTES = 100

const options = readOptions([], ['pairs', 'messages'])
const count = options.number('messages', 1_000_000)
const rig = await Rig.create()
const all = await trees(options.folders)
const file = join(temporaryFolder('bench'), 'lines')
const lines = Array.from({ length: count }, (_, i) => `evt-${String(i + 1).padStart(10, '0')}`.padEnd(LINE_BYTES, '.'))
writeFileSync(file, `${lines.splice(0).join('\n')}\n`)
const connect = await startKafkaConnect({ brokers: rig.connection.brokers })
for (const store of ['configs', 'offsets', 'status']) rig.deleteLater(`${connect.group}-${store}`)

const config = (topic: string) => ({
  name: topic,
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'tasks.max': '1',
  file,
  topic,
})

async function rest(method: string, path: string, body?: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) }
  const response = await fetch(`${connect.url}/connectors${path}`, { method, ...sent })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}

async function jvm(topic: string): Promise<Measured> {
  await rest('POST', '', { name: topic, config: config(topic) })
  return { pid: connect.pid, stop: () => rest('DELETE', `/${topic}`) }
}

await warmUp(rig, all, WORKER)
const subjects = [
  { name: 'Kafka Connect', measure: () => fullSpeed(rig, jvm, count) },
  ...all.map((tree) => ({
    name: tree.name,
    measure: () => {
      const start = async (topic: string) => rig.startService(tree, WORKER, await rig.cluster([config(topic)]))
      return fullSpeed(rig, start, count)
    },
  })),
]
const runs = await inTurn(options.number('pairs', 3), subjects, () => rig.clean())
console.log(`\n${speedTable('lines of a file', runs)}`)
await connect.stop()
await rig.close()
