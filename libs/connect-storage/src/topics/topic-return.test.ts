import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { abortable } from '@tributary/async'
import { createLogger } from '@tributary/telemetry'
import type { ImageRecord } from './topic-image.ts'
import { TopicReturn } from './topic-return.ts'

const log = createLogger({ name: 'test', stream: { write: () => true } })
const A: ImageRecord = { key: 'a', value: Buffer.from('1'), timestamp: 1 }

interface Scene {
  readonly steps: string[]
  lacking: readonly ImageRecord[]
  failure: Error | null
  onRead: (signal: AbortSignal) => Promise<void>
  readonly work: TopicReturn
}

/** `write`: what becomes of what is written back. */
function scene(complete: boolean, write: (scene: Scene) => void = (s) => void (s.lacking = [])): Scene {
  const steps: string[] = []
  const step = (name: string): Promise<void> => {
    steps.push(name)
    return made.failure === null ? Promise.resolve() : Promise.reject(made.failure)
  }
  const work = new TopicReturn({
    tail: {
      topicName: 't',
      complete,
      createAgain: () => step('create'),
      markIncomplete: () => step('mark'),
      markComplete: () => step('complete'),
      refresh: (signal) => step('read').then(() => made.onRead(signal!)),
    },
    image: { missing: () => [...made.lacking] },
    exclusively: async (records) => {
      steps.push('alone')
      const written = await records()
      steps.push(`write ${written.map(({ key }) => key).join()}`)
      write(made)
    },
    check: () => {},
    log,
  })
  const made: Scene = { steps, lacking: [A], failure: null, onRead: () => Promise.resolve(), work }
  return made
}

test('a process that has read everything creates the topic, reads it, and writes alone what it lacks', async () => {
  const { steps, work } = scene(true)
  await work.run(new AbortController().signal)
  assert.deepEqual(steps, ['create', 'read', 'mark', 'alone', 'read', 'write a', 'read', 'complete'])
})

test('what others have written back is not written again, and a topic that was never gone is left alone', async () => {
  const made = scene(true)
  made.lacking = []
  await made.work.run(new AbortController().signal)
  assert.deepEqual(made.steps, ['create', 'read', 'complete'])
})

test('a process that may have missed something neither creates nor writes: it waits for the others, and says so', async () => {
  const made = scene(false)
  const back = made.work.run(new AbortController().signal)
  await sleep(50)
  assert.match(made.work.trouble, /internal topic t was deleted.*had not read all of it.*start this process again/)
  made.lacking = []
  await back
  assert.deepEqual([...new Set(made.steps)], ['read'])
})

test('what is in the way is named, and tried again; a write that another process has overtaken, too', async () => {
  let fenced = true
  const made = scene(true, (s) => {
    if (!fenced) return void (s.lacking = [])
    fenced = false
    throw new Error('fenced')
  })
  made.failure = new Error('no rights')
  const back = made.work.run(new AbortController().signal)
  await sleep(10)
  assert.match(made.work.trouble, /internal topic t was deleted, and cannot be made again at present: no rights/)
  made.failure = null
  await back
  assert.equal(made.steps.filter((step) => step === 'write a').length, 2)
})

test('a topic that is deleted once more while it is written back is created once more', async () => {
  const made = scene(true)
  const waiting = Promise.withResolvers<void>()
  made.onRead = (signal) => {
    if (made.steps.length > 2) return Promise.resolve()
    waiting.resolve()
    return abortable(new Promise(() => {}), signal)
  }
  const back = made.work.run(new AbortController().signal)
  await waiting.promise
  made.work.deletedAgain()
  await back
  assert.deepEqual(made.steps, [
    'create',
    'read',
    'create',
    'read',
    'mark',
    'alone',
    'read',
    'write a',
    'read',
    'complete',
  ])
})

test('the end of the process ends the work', async () => {
  const made = scene(false)
  const ends = new AbortController()
  const back = made.work.run(ends.signal)
  ends.abort(new Error('stopped'))
  await assert.rejects(back, /stopped/)
})
