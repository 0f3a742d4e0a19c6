import { createStores } from '@tributary/connect-storage'
import { sharedKafka } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { testDocumentedEvents } from './checks.ts'
import { DOCUMENTED_EVENTS, DOCUMENTED_PHRASES, EVENTS_LEFT_OUT } from './websocket.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import { WsTicker } from '../../support/ws-ticker.ts'

const run = randomUUID().slice(0, 8)
const SECRET = 'feed-s3cret'

interface Rig {
  readonly name: string
  readonly feed: WsTicker
}

describe("the documents' log events, in the worker's log", () => {
  const rigs: Rig[] = []
  let services: Services
  let started: Services | undefined
  before(async () => {
    services = started = await startServices('ws-ingest')
  })
  after(async () => {
    for (const { feed } of rigs) feed.stop()
    await started?.stop()
  })

  /** A connector on a feed of its own that sends one message a connection. Its URL holds a secret. */
  async function start(
    config: Readonly<Record<string, string>>,
    prepare?: (name: string, url: string) => Promise<void>,
  ): Promise<Rig> {
    const feed = await WsTicker.start({ onConnection: (ticker) => ticker.send(1) })
    const rig: Rig = { name: `events-${rigs.length}-${run}`, feed }
    rigs.push(rig)
    const url = `ws://127.0.0.1:${feed.port}/ws?token=${SECRET}`
    await prepare?.(rig.name, url)
    await services.create(rig.name, {
      'connector.class': 'io.conduktor.connect.websocket.WebSocketSourceConnector',
      'websocket.url': url,
      'kafka.topic': `events-${run}`,
      'websocket.reconnect.interval.ms': '10',
      ...config,
    })
    await until('it reads', () => feed.connections === 1)
    return rig
  }

  const lines = async (connector: string, event: string): Promise<string[]> => {
    const all = (await services.workerLog()).split('\n')
    return all.filter((line) => line.includes(` event=${event} `) && line.includes(`connector_name=${connector} `))
  }
  const logged = (connector: string, ...events: string[]): Promise<unknown> =>
    Promise.all(events.map((event) => until(event, async () => (await lines(connector, event)).length > 0)))

  test('of a start, a connection that fails, one that is closed, and a restart', async () => {
    const { name, feed } = await start({ 'websocket.subscription.message': `{"op":"subscribe","token":"${SECRET}"}` })
    await logged(name, 'task_starting', 'session_initialized', 'no_previous_offset', 'websocket_client_starting')
    await logged(name, 'task_started', 'websocket_opened', 'subscription_sent', 'websocket_client_started')
    feed.cut()
    await until('it reads again', () => feed.connections === 2)
    await logged(name, 'websocket_failure', 'reconnect_scheduled', 'reconnect_executing', 'sequence_gap')
    feed.close(1000, 'maintenance')
    await until('it reads again', () => feed.connections === 3)
    await logged(name, 'websocket_closing', 'websocket_closed')
    await until('its offset is committed', async () => {
      const { body } = await services.rest('GET', `/connectors/${name}/offsets`)
      return (body as { offsets: unknown[] }).offsets.length > 0
    })
    await services.rest('POST', `/connectors/${name}/tasks/0/restart`)
    await logged(name, 'offset_restored', 'session_id_changed')
    await logged(name, 'task_stopping', 'message_draining_started', 'message_draining_completed', 'task_metrics')
    await logged(name, 'websocket_client_stopping', 'websocket_client_stopped', 'task_stopped')
  })

  test('of a queue that is full, with the policy that drops', async () => {
    const { name, feed } = await start({ 'overflow.policy': 'drop', 'websocket.message.queue.size': '10' })
    await services.rest('PUT', `/connectors/${name}/pause`)
    await until('it is paused', async () => (await services.status(name)).tasks[0]?.state === 'PAUSED')
    feed.send(1000)
    await logged(name, 'queue_full', 'queue_high_utilization', 'message_dropped')
  })

  test('of a server that does not come back within the tries', async () => {
    const { name, feed } = await start({ 'websocket.reconnect.max.attempts': '1' })
    feed.stop()
    await logged(name, 'websocket_failure', 'reconnect_failed')
    await until('it is FAILED', async () => (await services.status(name)).tasks[0]?.state === 'FAILED')
  })

  test('of a connection that ends with reconnecting switched off', async () => {
    const { name, feed } = await start({ 'websocket.reconnect.enabled': 'false' })
    feed.close()
    await logged(name, 'reconnect_skipped')
    await until('it is FAILED', async () => (await services.status(name)).tasks[0]?.state === 'FAILED')
  })

  test('of an offset without a sequence', async () => {
    const { brokers } = await sharedKafka()
    const log = createLogger({ name: 'test', stream: { write: () => true } })
    const { offsets } = createStores({ connection: { brokers, clientId: 'test' }, log, cluster: services.cluster })
    await offsets.start(new AbortController().signal)
    const { name } = await start({}, async (connector, url) => {
      await offsets.write(connector, [{ partition: { websocket_url: url }, offset: { session_id: 'former' } }])
    })
    await logged(name, 'no_sequence_in_offset')
    await offsets.stop()
  })

  testDocumentedEvents({ documented: DOCUMENTED_EVENTS, leftOut: EVENTS_LEFT_OUT }, () => services.workerLog())

  for (const [phrase, event] of Object.entries(DOCUMENTED_PHRASES)) {
    test(`"${phrase}" is found where the documents look for it`, async () => {
      assert.match(await services.workerLog(), new RegExp(` event=${event} .*${phrase}`))
    })
  }

  test('no secret is in any line, nor in a metric', async () => {
    assert.equal((await services.workerLog()).includes(SECRET), false)
    assert.equal((await services.scrape()).includes(SECRET), false)
  })
})
