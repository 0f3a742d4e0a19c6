import { start } from './child.ts'
import { Rig } from './rig.ts'
import { watchTopic } from './speed.ts'
const brokers = ['127.0.0.1:19092']
const rig = new Rig(brokers)
const count = Number(process.argv[4] ?? 1_000_000)
const rounds = Number(process.argv[3] ?? 1)
const as = process.argv[2] ?? 'text'
const extra = JSON.parse(process.argv[5] ?? '{}') as Record<string, string>
const url = (port: string): string => `ws://127.0.0.1:${port}/`
for (let i = 0; i < rounds; i++) {
  for (const kind of ['bare', 'pipe']) {
    const source = start('test/bench/ws/source.ts', [String(count), as])
    const port = await source.value('port')
    const topic = await rig.topic()
    let child
    if (kind === 'bare') {
      child = start('test/bench/ws/bare-pipe.ts', [brokers[0]!, topic, url(port), String(count), 'pipe'])
    } else {
      const cluster = `${rig.run}-${topic}`
      child = rig.startIngest('ws-ingest', cluster)
      await child.value('address')
      await rig.configure(cluster, {
        name: 'bench',
        'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
        'websocket.url': url(port),
        'kafka.topic': topic,
        ...extra,
      })
    }
    const s = await watchTopic(rig, { name: kind, child, topic, count })
    console.log(kind.padEnd(5), s.messagesPerSecond, s.cpuUsPerMessage.toFixed(2), s.peakRssMiB.toFixed(0), s.lost)
    await source.stop()
  }
}
await rig.close()
process.exit(0)
