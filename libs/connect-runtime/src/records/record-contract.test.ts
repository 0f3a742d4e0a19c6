import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorCode, type SourceRecord, type SourceTask, type Transformation } from '@tributary/connect-api'
import { scriptedRun, type ScriptedRun, until } from '../testing/run-scripted.ts'

/** Fields of a record as plain JavaScript may return them. */
const WRONG: readonly (readonly [field: string, value: unknown, text: RegExp])[] = [
  ['topic', undefined, /a record whose topic is undefined; it must be a string/],
  ['topic', 7, /topic is 7; it must be a string/],
  ['topic', '', /topic is ''; it must be a legal name .*empty string/],
  ['topic', 'no topic', /topic is 'no topic'; it must be a legal name/],
  ['topic', 'x'.repeat(250), /topic is 'x{99} …; .*longer than the max allowed length 249/],
  ['sourcePartition', undefined, /sourcePartition is undefined; it must be an object/],
  ['sourcePartition', null, /sourcePartition is null; it must be an object/],
  ['sourceOffset', 'a', /sourceOffset is 'a'; it must be an object/],
  ['sourceOffset', [1], /sourceOffset is \[ 1 \]; it must be an object/],
  ['partition', NaN, /partition is NaN; it must be undefined, or an integer/],
  ['partition', '0', /partition is '0'/],
  ['partition', -1, /partition is -1/],
  ['partition', 1.5, /partition is 1\.5/],
  ['timestamp', NaN, /timestamp is NaN; it must be null, or whole ms/],
  ['timestamp', 5n, /timestamp is 5n/],
  ['timestamp', 1.5, /timestamp is 1\.5/],
  ['timestamp', new Date(0), /timestamp is 1970-01-01/],
  ['headers', { a: 1 }, /headers is \{ a: 1 \}; it must be undefined, or an array/],
  ['headers', 'ab', /headers is 'ab'/],
  ['headers', [null], /headers is \[ null \]/],
  ['headers', [{ value: 1 }], /headers is \[ \{ value: 1 \} \]/],
  ['original', 'text', /original is 'text'; it must be undefined, or a Uint8Array/],
  ['error', null, /error is null; it must be undefined, or a DataError/],
  ['error', 'bad', /error is 'bad'/],
]

/** Runs a task until it fails. `poll` gets what the scripted task polled. */
async function failing(poll: (records: SourceRecord[]) => unknown): Promise<ScriptedRun> {
  const s = scriptedRun()
  // As in production, a topic of any other name is looked up for ever.
  const lookUp = s.producer.partitionCount.bind(s.producer)
  s.producer.partitionCount = (topic) => (topic === 'events' ? lookUp(topic) : new Promise(() => {}))
  const original = s.task.poll.bind(s.task)
  s.task.poll = (async (signal) => {
    const records = await original(signal)
    return Array.isArray(records) ? poll(records as SourceRecord[]) : records
  }) as SourceTask['poll']
  s.task.send('a', 'b')
  void s.run.run()
  try {
    await until(() => s.run.state === 'failed', 'it fails', 1000)
  } finally {
    s.run.fail(new Error('the test is over'))
  }
  assert.equal(errorCode(s.failure), 'RECORD_CONTRACT')
  assert.equal(s.failureKind, 'fatal')
  return s
}

const textOf = (s: ScriptedRun): string => (s.failure as Error).message

describe('a record that breaks the contract fails its task, after the records before it', () => {
  for (const [field, value, text] of WRONG) {
    test(`${field}: ${typeof value} ${String(value).slice(0, 20)}`, async () => {
      const s = await failing(([first, second]) => [first, { ...second, [field]: value }])
      assert.match(textOf(s), text)
      assert.match(textOf(s), /^the task of test\.Scripted returned a record whose .*\. This is a bug of the plugin$/)
      assert.deepEqual([s.producer.values(), s.offsets.writes], [['a'], [{ sequence: 1 }]])
    })
  }

  for (const value of [null, undefined, 5, []]) {
    test(`a record that is ${JSON.stringify(value)}`, async () => {
      const s = await failing(([first]) => [first, value])
      assert.match(textOf(s), /^the task of test\.Scripted returned a record that is .*; it must be a SourceRecord/)
      assert.deepEqual(s.producer.values(), ['a'])
    })
  }
})

test('an answer of poll that is no array fails the task', async () => {
  for (const answer of [undefined, null, 'abc', 5, {}]) {
    const s = await failing(() => answer)
    assert.match(textOf(s), /^poll of the task of test\.Scripted returned .*; it must return an array of records/)
  }
})

test('fields that a plugin may leave out may be null', async () => {
  const s = scriptedRun()
  s.task.onHandOut = (records) => {
    for (const record of records) Object.assign(record, { partition: null, headers: null, timestamp: undefined })
  }
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'the record arrives')
  await s.run.stop()
  assert.equal(s.failure, undefined)
})

test('a transformation that returns an illegal record fails the task and is named', async () => {
  for (const [answer, text] of [
    [undefined, /returned a record that is undefined/],
    [{ topic: null }, /returned a record whose topic is null/],
  ] as const) {
    const apply: Transformation['apply'] = (record) => (answer && { ...record, ...answer }) as unknown as typeof record
    const s = scriptedRun({}, { transformations: [{ apply }] })
    s.producer.partitionCount = () => new Promise(() => {})
    s.task.send('a')
    void s.run.run()
    try {
      await until(() => s.run.state === 'failed', 'it fails', 1000)
    } finally {
      s.run.fail(new Error('the test is over'))
    }
    assert.match(textOf(s), /^a transformation of the connector returned/)
    assert.match(textOf(s), text)
  }
})
