import { createStores } from '@tributary/connect-storage'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { randomUUID } from 'node:crypto'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { testDocumentedEvents } from './checks.ts'
import { DOCUMENTED_EVENTS, EVENTS_LEFT_OUT } from './grpc.ts'
import { type Services, startServices } from '../../support/services.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { fail, fixture, sendTicks, startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'
import { until } from '../../support/until.ts'

const run = randomUUID().slice(0, 8)

/** A server, the streams that it has been asked for, and the connector that asks. */
interface Rig {
  readonly name: string
  readonly server: Ticker
  readonly streams: readonly WatchCall[]
}

describe("the documents' log events, in the worker's log", () => {
  const rigs: Rig[] = []
  let services: Services
  let started: Services | undefined
  before(async () => {
    services = started = await startServices()
  })
  after(async () => {
    for (const { server } of rigs) server.stop()
    await started?.stop()
  })

  /** A connector on a server of its own that sends one message a stream. */
  async function start(
    config: Readonly<Record<string, string>>,
    prepare?: (name: string, port: number) => Promise<void>,
  ) {
    const streams: WatchCall[] = []
    const watch = async (call: WatchCall): Promise<void> => {
      streams.push(call)
      await sendTicks(call, 1, 1)
    }
    const server = await startTicker({ watch })
    const rig: Rig = { name: `events-${rigs.length}-${run}`, server, streams }
    rigs.push(rig)
    await prepare?.(rig.name, server.port)
    await services.create(rig.name, {
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'tasks.max': '1',
      ...tickerProps(server.port, { 'grpc.reconnect.interval.ms': '10', 'kafka.topic': `events-${run}`, ...config }),
    })
    await until('it reads', () => streams.length === 1)
    return rig
  }

  const lines = async (connector: string, event: string): Promise<string[]> => {
    const all = (await services.workerLog()).split('\n')
    return all.filter((line) => line.includes(` event=${event} `) && line.includes(`connector_name=${connector} `))
  }
  const logged = (connector: string, ...events: string[]): Promise<unknown> =>
    Promise.all(events.map((event) => until(event, async () => (await lines(connector, event)).length > 0)))

  test('of a start, a stream that fails, one that ends, and a restart', async () => {
    const { name, streams } = await start({})
    await logged(name, 'task_starting', 'session_initialized', 'no_previous_offset', 'grpc_client_starting')
    await logged(name, 'proto_descriptor_loaded', 'task_started', 'grpc_client_started', 'streaming_started')
    await logged(name, 'message_received')
    fail(streams[0]!, 14, 'the server goes away')
    await until('it reads again', () => streams.length === 2)
    await logged(
      name,
      'stream_error',
      'connection_closed',
      'reconnect_scheduled',
      'reconnect_executing',
      'sequence_gap',
    )
    streams[1]!.end()
    await until('it reads again', () => streams.length === 3)
    await logged(name, 'stream_completed')
    await until('its offset is committed', async () => {
      const { body } = await services.rest('GET', `/connectors/${name}/offsets`)
      return (body as { offsets: unknown[] }).offsets.length > 0
    })
    await services.rest('POST', `/connectors/${name}/tasks/0/restart`)
    await logged(name, 'offset_restored', 'session_id_changed')
    await logged(name, 'task_stopping', 'message_draining_started', 'message_draining_completed', 'task_metrics')
    await logged(name, 'grpc_client_stopping', 'grpc_client_stopped', 'task_stopped')
  })

  test('of a queue that is full, with the policy that drops', async () => {
    const { name, streams } = await start({ 'overflow.policy': 'drop', 'grpc.message.queue.size': '10' })
    await services.rest('PUT', `/connectors/${name}/pause`)
    await until('it is paused', async () => (await services.status(name)).tasks[0]?.state === 'PAUSED')
    await sendTicks(streams[0]!, 2, 1000)
    await logged(name, 'queue_full', 'queue_high_utilization', 'message_dropped')
  })

  test('of a server that does not come back within the tries', async () => {
    const { name, server } = await start({ 'grpc.reconnect.max.attempts': '1' })
    server.stop()
    await logged(name, 'connection_failed', 'reconnect_failed')
    await until('it is FAILED', async () => (await services.status(name)).tasks[0]?.state === 'FAILED')
  })

  test('of a stream that ends with reconnecting switched off', async () => {
    const { name, streams } = await start({ 'grpc.reconnect.enabled': 'false' })
    streams[0]!.end()
    await logged(name, 'reconnect_skipped')
  })

  test('of a descriptor that is gone at a restart', async () => {
    const descriptor = join(temporaryFolder('events'), 'ticker.desc')
    copyFileSync(fixture('ticker.desc'), descriptor)
    const { name } = await start({ 'grpc.proto.descriptor': descriptor })
    rmSync(descriptor)
    await services.rest('POST', `/connectors/${name}/tasks/0/restart`)
    await logged(name, 'proto_descriptor_load_failed')
  })

  test('of an offset without a sequence', async () => {
    const { brokers } = await sharedKafka()
    const log = createLogger({ name: 'test', stream: { write: () => true } })
    const { offsets } = createStores({ connection: { brokers, clientId: 'test' }, log, cluster: services.cluster })
    await offsets.start(new AbortController().signal)
    const { name } = await start({}, async (connector, port) => {
      const partition = { grpc_server: `127.0.0.1:${port}`, grpc_method: 'ticker.v1.Ticker/Watch' }
      await offsets.write(connector, [{ partition, offset: { session_id: 'former' } }])
    })
    await logged(name, 'no_sequence_in_offset')
    await offsets.stop()
  })

  testDocumentedEvents({ documented: DOCUMENTED_EVENTS, leftOut: EVENTS_LEFT_OUT }, () => services.workerLog())
})
