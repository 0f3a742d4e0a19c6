import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { readSettings, type SqsSettings } from '../settings/read.ts'
import { NamedQueues } from './named-queues.ts'
import { QueueDepths } from './queue-depths.ts'
import { queueEntry, queueOf } from './queue-name.ts'
import { checkReturning } from './returning.ts'
import { isOwn, shareOf, taskConfigs } from './task-share.ts'

const ALL = { index: 0, count: 1 }
const AWS = 'https://sqs.eu-west-1.amazonaws.com/123456789012'
const signal = AbortSignal.timeout(60_000)

function settings(props: Record<string, string>): SqsSettings {
  return readSettings({ 'kafka.topic': 't', ...props })
}

/** An SQS of which only the looked up names exist. */
function lookups(...names: string[]) {
  const asked: string[] = []
  return {
    asked,
    queueUrl: (name: string) => (asked.push(name), Promise.resolve(`${AWS}/${name}`)),
    listQueues: (prefix: string) => Promise.resolve(names.filter((name) => name.startsWith(prefix)).map((name) => `${AWS}/${name}`)), // prettier-ignore
  }
}

describe('what names a queue', () => {
  for (const [text, name, region] of [
    [`${AWS}/orders`, 'orders', 'eu-west-1'],
    [`${AWS}/orders.fifo`, 'orders.fifo', 'eu-west-1'],
    ['https://eu-west-1.queue.amazonaws.com/1/orders', 'orders', 'eu-west-1'],
    ['https://queue.amazonaws.com/1/orders', 'orders', 'us-east-1'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/1/orders', 'orders', 'cn-north-1'],
    ['http://localstack:4566/000000000000/test-sqs-queue', 'test-sqs-queue', null],
    ['orders_2', 'orders_2', null],
    ['arn:aws:sqs:eu-west-1:123456789012:orders', 'orders', 'eu-west-1'],
  ] as const) {
    test(`${text} is queue ${name}`, () => {
      assert.deepEqual(queueEntry(text), { name, region, url: text.startsWith('http') ? text : null })
    })
  }

  for (const text of [
    '...queue-14',
    'orders.fifo.fifo',
    'https://sqs.eu-west-1.amazonaws.com',
    `${AWS}/a b`,
    'ftp://h/q',
    'x'.repeat(81),
  ]) {
    // prettier-ignore
    test(`${text} names none`, () => assert.equal(queueEntry(text), null))
  }

  test('a name that ends in .fifo, or a setting, makes a FIFO queue', () => {
    const base = { 'sqs.queue.url': 'q' }
    const fifo = (name: string, props: Record<string, string>): boolean => queueOf(`${AWS}/${name}`, settings({ ...base, ...props })).fifo // prettier-ignore
    assert.equal(fifo('a.fifo', {}), true)
    assert.equal(fifo('a', {}), false)
    assert.equal(fifo('a', { 'sqs.fifo.queue': 'true' }), true)
    assert.equal(fifo('a.fifo', { 'sqs.fifo.auto.detect': 'false' }), false)
  })
})

describe('the share of a task', () => {
  const urls = ['a', 'b', 'c', 'd', 'e'].map((name) => `${AWS}/${name}`)

  test('fewer tasks than queues read all of them', () => {
    const tasks = taskConfigs({ 'sqs.queue.urls': ` ${urls.join(', ,')},${urls[0]}`, 'kafka.topic': 't' }, 2)
    assert.deepEqual(
      tasks.map((task) => task['sqs.queue.urls'] ?? task['sqs.queue.url']),
      [`${urls[0]},${urls[2]},${urls[4]}`, `${urls[1]},${urls[3]}`],
    )
  })

  test('more tasks than queues are not made, and each has its queue as in the JVM connector', () => {
    const tasks = taskConfigs({ 'sqs.queue.urls': urls.join(','), 'sqs.queue.url': 'ignored' }, 9)
    assert.deepEqual(tasks, urls.map((url) => ({ 'sqs.queue.url': url }))) // prettier-ignore
  })

  test('a standard queue goes to all tasks, a FIFO queue and a mirrored one to one', () => {
    assert.equal(taskConfigs({ 'sqs.queue.url': urls[0]! }, 3).length, 3)
    assert.equal(taskConfigs({ 'sqs.queue.url': `${urls[0]}.fifo` }, 3).length, 1)
    assert.equal(taskConfigs({ 'sqs.queue.url': urls[0]!, 'sqs.fifo.queue': 'True' }, 3).length, 1)
    assert.equal(taskConfigs({ 'sqs.queue.url': urls[0]!, 'sqs.mode': ' Mirror ' }, 3).length, 1)
    assert.equal(taskConfigs({ 'sqs.queue.url': urls[0]! }, 0).length, 0)
  })

  test('queues of a prefix or a reference belong to one task each', async () => {
    for (const props of [{ 'sqs.queue.name.prefix': 'o' }, { 'sqs.queue.urls': '${file:q:urls}' }]) {
      const shares = taskConfigs(props, 3).map(shareOf)
      assert.deepEqual(shares, [{ index: 0, count: 3 }, { index: 1, count: 3 }, { index: 2, count: 3 }]) // prettier-ignore
      for (const url of urls) assert.equal(shares.filter((share) => isOwn(url, share)).length, 1)
    }
    const config = settings({ 'sqs.queue.name.prefix': 'o, p' })
    const sqs = lookups('orders', 'other', 'pay', 'zoo')
    const found = await Promise.all([0, 1].map((index) => new NamedQueues(config, sqs, { index, count: 2 }).resolve(signal))) // prettier-ignore
    assert.deepEqual(found.flat().map(({ name }) => name).sort(), ['orders', 'other', 'pay']) // prettier-ignore
  })

  test('a reference to one standard queue serves all tasks', async () => {
    const found = async (props: Record<string, string>) => {
      const config = settings({ 'sqs.queue.urls': urls[0]!, ...props })
      const tasks = [0, 1].map((index) => new NamedQueues(config, lookups(), { index, count: 2 }).resolve(signal))
      return (await Promise.all(tasks)).flat().length
    }
    assert.deepEqual([await found({}), await found({ 'sqs.mode': 'mirror' })], [2, 1])
  })

  test('source partitions name a queue as the user wrote it', async () => {
    const named = async (props: Record<string, string>, written: Record<string, string>) => {
      const queues = await new NamedQueues(settings(props), lookups('other'), ALL, written).resolve(signal)
      return queues.map((queue) => queue.written ?? queue.url)
    }
    const [a, b] = urls as [string, string]
    assert.deepEqual(await named({ 'sqs.queue.urls': `${a},${b}` }, { 'sqs.queue.urls': `\${file:q:a}, ${b}` }), ['${file:q:a}', b]) // prettier-ignore
    const [one, two, ...more] = await named({ 'sqs.queue.urls': `${a},${b}` }, { 'sqs.queue.urls': '${file:q:all}' })
    assert.match(one!, /^\$\{file:q:all\}#[0-9a-f]{16}$/)
    assert.notEqual(one, two)
    assert.deepEqual(more, [])
    const [found] = await named({ 'sqs.queue.name.prefix': 'o' }, { 'sqs.queue.name.prefix': '${env:PREFIX}' })
    assert.match(found!, /^\$\{env:PREFIX\}#[0-9a-f]{16}$/)
  })

  test('as many queues as a configuration can name do not hold the process as long as its watchdog lets them', async () => {
    const all = Array.from({ length: 60_000 }, (_, n) => `${AWS}/q${n}`)
    const list = all.join(',')
    const { user } = process.threadCpuUsage()
    assert.equal(taskConfigs({ 'sqs.queue.urls': list }, 1000).length, 1000)
    const written = { 'sqs.queue.urls': '${file:q:all}' }
    const queues = await new NamedQueues(settings({ 'sqs.queue.urls': list }), lookups(), ALL, written).resolve(signal)
    assert.equal(queues.length, all.length)
    // Time of the CPU, which no other process lengthens: 0.5 s. It was 25 s while it grew with the square of the number.
    assert.ok(process.threadCpuUsage().user - user < 5_000_000)
  })

  test('names are looked up some at a time, and none after the signal', async () => {
    const names = Array.from({ length: 120 }, (_, n) => `q${n}`)
    let [underWay, most, asked] = [0, 0, 0]
    const stopped = new AbortController()
    const queueUrl = async (name: string): Promise<string> => {
      most = Math.max(most, ++underWay)
      if (++asked === 130) stopped.abort()
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      stopped.signal.throwIfAborted()
      return `${AWS}/${name}`
    }
    const queues = new NamedQueues(settings({ 'sqs.queue.urls': names.join(',') }), { ...lookups(), queueUrl }, ALL)
    assert.deepEqual((await queues.resolve(signal)).map(({ name }) => name), names) // prettier-ignore
    assert.equal(most, 50)
    await assert.rejects(queues.resolve(stopped.signal), { name: 'AbortError' })
    assert.equal(asked, 170)
  })

  test('names and ARNs are looked up, URLs are not', async () => {
    const arn = 'arn:aws:sqs:eu-west-1:123456789012:pay'
    const sqs = lookups()
    const queues = new NamedQueues(settings({ 'sqs.queue.urls': `${urls[0]},orders,${arn}` }), sqs, ALL)
    await queues.resolve(signal)
    assert.deepEqual(sqs.asked, ['orders', arn])
    assert.equal(queues.lookAgainMs, 60_000)
    const mixed = new NamedQueues(
      settings({ 'sqs.queue.urls': urls[0]!, 'sqs.queue.name.prefix': 'o' }),
      lookups('orders'),
      ALL,
    )
    const mayGo = (await mixed.resolve(signal)).map(({ name, url }) => [name, mixed.mayGo(url)])
    assert.deepEqual(mayGo, [['a', false], ['orders', true]]) // prettier-ignore
    assert.equal(new NamedQueues(settings({ 'sqs.queue.url': urls[0]! }), sqs, ALL).lookAgainMs, null)
  })
})

describe('messages that go back', () => {
  const attributes = (policy?: string) => ({ queueAttributes: () => Promise.resolve({ RedrivePolicy: policy }) })
  const check = (name: string, props: Record<string, string>, policy?: string) => {
    const config = settings({ 'sqs.queue.url': 'q', ...props })
    return checkReturning(queueOf(`${AWS}/${name}`, config), config, attributes(policy), signal)
  }
  const KEEP = { 'sqs.message.filter.policy': '{"a":["b"]}' }
  const POLICY = '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":5}'

  test('are refused on a FIFO queue and on one with a RedrivePolicy', async () => {
    await assert.rejects(check('a.fifo', KEEP), { code: 'SQS_QUEUE_SHARED', field: 'sqs.filter.unmatched' })
    await assert.rejects(check('a', { 'sqs.mode': 'Mirror' }, POLICY), {
      field: 'sqs.mode',
      message:
        'Invalid value mirror for configuration sqs.mode: the RedrivePolicy of queue a moves messages to its dead-letter queue after 5 receives; read a queue of your own, such as a second subscription of the topic',
    })
  })

  test('are allowed elsewhere, and nothing is asked when none goes back', async () => {
    await check('a', KEEP)
    await check('a', { ...KEEP, 'sqs.filter.unmatched': 'delete' }, POLICY)
    await check('a.fifo', {}, POLICY)
  })
})

describe('the depth of queues', () => {
  const config = settings({ 'sqs.queue.url': 'q' })
  const [a, b] = ['a', 'b'].map((name) => queueOf(`${AWS}/${name}`, config)) as [ReturnType<typeof queueOf>, ReturnType<typeof queueOf>] // prettier-ignore

  test('is asked at most each 30 s, and one that cannot be asked has none', async () => {
    let now = 0
    let asked = 0
    let gone = ''
    const sqs = {
      queueAttributes: (url: string) => {
        asked++
        if (url === gone) return Promise.reject(new Error('no such queue'))
        return Promise.resolve({ ApproximateNumberOfMessages: '7', ApproximateNumberOfMessagesNotVisible: '2' })
      },
    }
    const depths = new QueueDepths(sqs, { ...systemClock, monotonic: () => now }, 1)
    await depths.maybeAsk([a, b], signal)
    now = 29_999
    await depths.maybeAsk([a, b], signal)
    assert.equal(asked, 2)
    assert.deepEqual([...depths.depths], [['a', { visible: 7, inFlight: 2, delayed: 0 }], ['b', { visible: 7, inFlight: 2, delayed: 0 }]]) // prettier-ignore
    now = 30_000
    gone = b.url
    await assert.rejects(depths.maybeAsk([a, b], signal), /no such queue/)
    assert.deepEqual([...depths.depths.keys()], ['a'])
  })

  test('is never asked with an interval of 0', async () => {
    const never = { queueAttributes: () => Promise.reject(new Error('asked')) }
    await new QueueDepths(never, systemClock, 0).maybeAsk([a], signal)
  })
})
