import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, type OffsetEntry, type Props } from '@tributary/connect-api'
import { WebSocketSourceConnector } from './connector.ts'
import { websocketSource } from './plugin.ts'

const connector = new WebSocketSourceConnector()
const BASE = { 'websocket.url': 'wss://a/x?token=t', 'kafka.topic': 't' }
const THREE = { ...BASE, 'websocket.additional.urls': 'ws://b, ws://c', 'tasks.max': '3' }
const NUMBERED = { 'sequence.field': 'seq', 'sequence.key.field': 'symbol' }
const PARTITION = { websocket_url: BASE['websocket.url'] }

const errorsOf = async (props: Props): Promise<Record<string, string>> => {
  const errors = await connector.validate(props, new AbortController().signal)
  return Object.fromEntries(errors.map(({ field, message }) => [field, message]))
}

describe('the WebSocket source connector', () => {
  test('makes one task per URL, even if tasks.max is higher', () => {
    assert.deepEqual(connector.taskConfigs(BASE, 5), [BASE])
    const shared = { 'kafka.topic': 't', 'tasks.max': '3' }
    assert.deepEqual(connector.taskConfigs(THREE, 3), [
      { ...shared, 'websocket.url': 'wss://a/x?token=t' },
      { ...shared, 'websocket.url': 'ws://b' },
      { ...shared, 'websocket.url': 'ws://c' },
    ])
  })

  test('makes tasks from properties with unresolved references', () => {
    const urls = { 'websocket.url': '${file:/s:a}', 'websocket.additional.urls': '${file:/s:b}' }
    const tasks = connector.taskConfigs({ ...BASE, ...urls, 'websocket.message.queue.size': '${env:SIZE}' }, 2)
    assert.deepEqual(
      tasks.map((task) => task['websocket.url']),
      ['${file:/s:a}', '${file:/s:b}'],
    )
  })

  test('refuses more URLs than tasks, with an error on tasks.max', async () => {
    const message =
      'Invalid value 2 for configuration tasks.max: each of the 3 URLs is a task, so it must be at least 3'
    assert.deepEqual(await errorsOf({ ...THREE, 'tasks.max': '2' }), { 'tasks.max': message })
    assert.throws(() => connector.taskConfigs(THREE, 2), { code: 'WEBSOCKET_TASKS', message, field: 'tasks.max' })
    const { 'tasks.max': _, ...byDefault } = THREE
    assert.match((await errorsOf(byDefault))['tasks.max'] ?? '', /^Invalid value 1 /)
    assert.deepEqual(await errorsOf(THREE), {})
  })

  test('refuses a duplicate URL without showing it', async () => {
    const errors = await errorsOf({ ...THREE, 'websocket.additional.urls': `ws://b,${BASE['websocket.url']}` })
    assert.deepEqual(Object.keys(errors), ['websocket.additional.urls'])
    assert.doesNotMatch(JSON.stringify(errors), /token/)
  })

  test('refuses URLs that differ in user and password only, as they have one source partition', async () => {
    const errors = await errorsOf({ ...THREE, 'websocket.additional.urls': 'ws://u:p@b,ws://b' })
    assert.deepEqual(Object.keys(errors), ['websocket.additional.urls'])
  })

  test('refuses invalid rules and templates, each on its key', async () => {
    const errors = await errorsOf({ ...BASE, 'record.skip.match': 'a ==', 'topic.template': 'q.{{a..b}}' })
    assert.deepEqual(Object.keys(errors), ['record.skip.match', 'topic.template'])
    assert.match(errors['topic.template'] ?? '', /"a\.\.b" in topic\.template is no path/)
  })

  test('does not support exactly once, and keeps all its offsets in Kafka', () => {
    assert.equal(connector.exactlyOnce(), false)
    assert.equal(connector.offsetsOnlyInKafka, true)
  })
})

describe('offsets to be altered', () => {
  const check = (entry: OffsetEntry, props: Props = {}) => connector.checkOffsets({ ...THREE, ...props }, [entry])

  for (const offset of [{ sequence: 5 }, { session_id: 's', sequence: 0 }, {}, { session_id: null }, null]) {
    test(`can be ${JSON.stringify(offset)}`, () => check({ partition: PARTITION, offset }))
  }

  test('can be those of each URL, and of each stream', () => {
    check({ partition: { websocket_url: 'ws://c' }, offset: { sequence: 1 } })
    check({ partition: { ...PARTITION, stream: 'BTC' }, offset: { stream_sequence: 2n ** 60n } }, NUMBERED)
  })

  test('can be those of a URL with a password, whose source partition has none', () => {
    const url = { 'websocket.url': 'wss://u:secret@a/x' }
    check({ partition: { websocket_url: 'wss://a/x' }, offset: { sequence: 1 } }, url)
    check({ partition: { websocket_url: url['websocket.url'] }, offset: null }, url)
  })

  test('name a URL as the user wrote it', () => {
    const [written, secret] = ['ws://a/x?t=${env:TOKEN}', 'ws://a/x?t=secret']
    const check = (url: string) =>
      connector.checkOffsets(
        { ...THREE, 'websocket.url': secret },
        [{ partition: { websocket_url: url }, offset: { sequence: 1 } }],
        { ...THREE, 'websocket.url': written },
      )
    check(written)
    assert.throws(() => check(secret), /websocket_url is none of the URLs/)
  })

  test('can be deleted for a URL that is no longer configured', () => {
    check({ partition: { websocket_url: 'ws://removed', stream: 'x' }, offset: null })
  })

  for (const [what, partition, offset, props] of [
    ['a partition of another form', { file: 'x' }, { sequence: 1 }, {}],
    ['for a URL that is not configured', { websocket_url: 'ws://other' }, { sequence: 1 }, {}],
    ['a stream where there are none', { ...PARTITION, stream: 'x' }, { sequence: 1 }, {}],
    ['a stream that is no text', { ...PARTITION, stream: 1 }, { sequence: 1 }, NUMBERED],
    ['a session that is no text', PARTITION, { session_id: 1 }, {}],
    ['a sequence below 0', PARTITION, { sequence: -1 }, {}],
    ['a sequence that is text', PARTITION, { sequence: '1' }, {}],
    ['a sequence that no number holds', PARTITION, { sequence: 2n ** 60n }, {}],
    ['a number of the stream where there are none', PARTITION, { stream_sequence: 1 }, {}],
    ['a number of the stream that is none', PARTITION, { stream_sequence: 1.5 }, NUMBERED],
  ] as const) {
    test(`cannot be ${what}`, () => assert.throws(() => check({ partition, offset }, props), ConfigError))
  }

  test('show no URL in an error', () => {
    assert.throws(
      () => check({ partition: { websocket_url: 'ws://x?token=secret' }, offset: {} }),
      (error: Error) => !error.message.includes('secret'),
    )
  })
})

describe('the WebSocket plugin', () => {
  test('reconnects as configured; negative values count as 0', () => {
    const policy = (props: Props) => websocketSource.reconnectPolicy!({ ...BASE, ...props })
    assert.deepEqual(policy({}), {
      enabled: true,
      intervalMs: 5000,
      backoffMaxMs: 60_000,
      maxAttempts: -1,
      healthyMs: 10_000,
      connectTimeoutMs: 0,
    })
    assert.equal(policy({ 'websocket.reconnect.interval.ms': '-5' }).intervalMs, 0)
    assert.equal(policy({ 'websocket.reconnect.max.attempts': '-1  # infinite retries' }).maxAttempts, -1)
  })

  test('labels the documented metrics with the URL, without secrets', () => {
    const label = (url: string) => websocketSource.metricLabels!({ ...BASE, 'websocket.url': url })['url']
    assert.equal(label('wss://stream.binance.com:9443/ws?token=abc'), 'stream.binance.com_9443_ws')
    assert.equal(label('ws://user:pass@host/a-b.c/ž'), 'host_a-b.c__C5_BE')
    assert.equal(label(`ws://host/${'x'.repeat(60)}`)?.length, 50)
  })
})
