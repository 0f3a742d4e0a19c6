import { createStores } from '@tributary/connect-storage'
import { sharedKafka } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import type { DocumentedEvent } from './events.ts'

type Config = Readonly<Record<string, string>>

/** A server of the source's protocol, which sends one message on each connection. */
export interface EventFeed {
  /** The keys of a connector that reads the feed, without its topic. */
  readonly config: Config
  /** The source partition under which the connector keeps its offset. */
  readonly partition: Config
  /** Connections (WebSocket) or streams (gRPC) opened so far. */
  readonly connections: () => number
  /** Sends a message on the first connection. */
  send(count: number): unknown
  /** Makes the last connection fail. */
  fail(): void
  /** Ends the last connection properly. */
  end(): void
  stop(): void
}

/** The properties of a source that the story needs. */
export interface EventSource {
  /** The app that runs its tasks. */
  readonly app: string
  startFeed(): Promise<EventFeed>
  /** The prefix of configuration keys: `grpc` or `websocket`. */
  readonly prefix: string
  /** The source's own events of each scene. The story adds the events that all sources write. */
  readonly events: Readonly<Record<'start' | 'failure' | 'end' | 'stop' | 'unreachable', readonly string[]>>
  readonly documented: Readonly<Record<string, DocumentedEvent>>
  readonly leftOut: Readonly<Record<string, string>>
}

/** The functions that tests of one source need. */
export interface EventScene {
  readonly services: () => Services
  /** Creates a connector on a feed of its own and waits until the connector reads. */
  start(config?: Config): Promise<{ readonly name: string; readonly feed: EventFeed }>
  /** Waits until the worker has logged each event for the connector. */
  logged(connector: string, ...events: readonly string[]): Promise<unknown>
}

/**
 * Provokes the log events that the documents of the JVM connectors promise, then checks all lines of the worker's log
 * against the table. `more` adds tests of one source, before the check.
 */
export function documentedEvents(source: EventSource, more: (scene: EventScene) => void): void {
  const { app, prefix, events } = source
  const run = randomUUID().slice(0, 8)
  const feeds: EventFeed[] = []
  let services: Services
  let started: Services | undefined

  const logged: EventScene['logged'] = (connector, ...names) =>
    Promise.all(
      names.map((event) =>
        until(event, async () => {
          const lines = (await services.workerLog()).split('\n')
          return lines.some(
            (line) => line.includes(` event=${event} `) && line.includes(`connector_name=${connector} `),
          )
        }),
      ),
    )

  async function start(config: Config = {}, prepare?: (name: string, feed: EventFeed) => Promise<void>) {
    const feed = await source.startFeed()
    const name = `events-${feeds.length}-${run}`
    feeds.push(feed)
    await prepare?.(name, feed)
    const interval = { [`${prefix}.reconnect.interval.ms`]: '10' }
    await services.create(name, { ...feed.config, ...interval, 'kafka.topic': `events-${run}`, ...config })
    await until('it reads', () => feed.connections() === 1)
    return { name, feed }
  }

  const failed = (name: string): Promise<unknown> =>
    until('it is FAILED', async () => (await services.status(name)).tasks[0]?.state === 'FAILED')

  describe(`the documents' log events, in the log of ${app}`, () => {
    before(async () => {
      services = started = await startServices(app)
    })
    after(async () => {
      for (const feed of feeds) feed.stop()
      await started?.stop()
    })

    test('for a start, a connection that fails, one that ends, and a restart', async () => {
      const { name, feed } = await start()
      await logged(name, 'task_starting', 'session_initialized', 'no_previous_offset', 'task_started', ...events.start)
      feed.fail()
      await until('it reads again', () => feed.connections() === 2)
      await logged(name, 'reconnect_scheduled', 'reconnect_executing', 'sequence_gap', ...events.failure)
      feed.end()
      await until('it reads again', () => feed.connections() === 3)
      await logged(name, ...events.end)
      await until('each connection has a session id of its own', async () => {
        const lines = (await services.workerLog())
          .split('\n')
          .filter((line) => line.includes(` connector_name=${name} `))
        const begun = lines.filter((line) => line.includes(' event=session_initialized '))
        return new Set(begun.map((line) => / session_id=(\S+)/.exec(line)?.[1])).size === 3
      })
      await until('its offset is committed', async () => {
        const { body } = await services.rest('GET', `/connectors/${name}/offsets`)
        return (body as { offsets: unknown[] }).offsets.length > 0
      })
      await services.rest('POST', `/connectors/${name}/tasks/0/restart`)
      await logged(name, 'offset_restored', 'session_id_changed', 'task_stopping', 'task_stopped', 'task_metrics')
      await logged(name, 'message_draining_started', 'message_draining_completed', ...events.stop)
    })

    test('for a full queue with overflow.policy=drop', async () => {
      const { name, feed } = await start({ 'overflow.policy': 'drop', [`${prefix}.message.queue.size`]: '10' })
      await services.rest('PUT', `/connectors/${name}/pause`)
      await until('it is paused', async () => (await services.status(name)).tasks[0]?.state === 'PAUSED')
      await feed.send(1000)
      await logged(name, 'queue_full', 'queue_high_utilization', 'message_dropped')
    })

    test('for a server that does not return within the tries', async () => {
      const { name, feed } = await start({ [`${prefix}.reconnect.max.attempts`]: '1' })
      feed.stop()
      await logged(name, 'reconnect_failed', ...events.unreachable)
      await failed(name)
    })

    test('for a connection that ends without reconnecting', async () => {
      const { name, feed } = await start({ [`${prefix}.reconnect.enabled`]: 'false' })
      feed.end()
      await logged(name, 'reconnect_skipped')
      await failed(name)
    })

    test('for an offset without a sequence', async () => {
      const { brokers } = await sharedKafka()
      const log = createLogger({ name: 'test', stream: { write: () => true } })
      const { offsets } = createStores({ connection: { brokers, clientId: 'test' }, log, cluster: services.cluster })
      await offsets.start(new AbortController().signal)
      const { name } = await start({}, async (connector, { partition }) => {
        await offsets.write(connector, [{ partition, offset: { session_id: 'predecessor' } }])
      })
      await logged(name, 'no_sequence_in_offset')
      await offsets.stop()
    })

    more({ services: () => services, start, logged })
    checkLog(source, () => services.workerLog())
  })
}

/** Tests of a worker's whole log, which run after the tests that provoke the events. */
function checkLog({ documented, leftOut }: EventSource, log: () => Promise<string>): void {
  for (const [event, { level, fields }] of Object.entries(documented)) {
    test(`${event} has the level and the fields that the documents promise`, async () => {
      const found = (await log()).split('\n').filter((line) => line.includes(` event=${event} `))
      assert.notEqual(found.length, 0)
      for (const line of found) {
        const written = /^\S+ (\w+)/.exec(line)?.[1]
        assert.ok(
          level.some((allowed) => allowed === written),
          line,
        )
        for (const field of fields) assert.match(line, new RegExp(` ${field}=`))
      }
    })
  }

  test('no event that does not apply is written', async () => {
    const written = new Set([...(await log()).matchAll(/ event=(\w+)/g)].map(([, event]) => event))
    const astray = Object.keys(leftOut).filter((event) => written.has(event))
    assert.deepEqual(astray, [])
  })
}
