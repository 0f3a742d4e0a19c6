import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigSpecData } from '@tributary/config'
import { misspeltKeys } from './misspelt-keys.ts'

const key = { type: 'string', default: null, importance: 'low', doc: 'd' } as const
const family = { importance: 'low', doc: 'd' } as const
const specs: ConfigSpecData[] = [
  { keys: { 'tasks.max': key, 'errors.tolerance': key, name: key, topic: key } },
  { keys: { 'websocket.reconnect.interval.ms': key }, prefixes: { 'websocket.header.': family } },
]
const nearest = (...names: string[]): Record<string, string> =>
  Object.fromEntries(misspeltKeys(names, specs).map(({ name, nearest }) => [name, nearest]))

test('a key a few letters away from a known one is misspelt', () => {
  assert.deepEqual(nearest('tasks.maxx', 'error.tolerence', 'websocket.reconect.intervall.ms', 'topics'), {
    'tasks.maxx': 'tasks.max',
    'error.tolerence': 'errors.tolerance',
    'websocket.reconect.intervall.ms': 'websocket.reconnect.interval.ms',
    topics: 'topic',
  })
})

test('a misspelt prefix of a family is found, and every name within a family is known', () => {
  assert.deepEqual(nearest('websocket.heeder.x-id', 'transform.a.type', 'producer.overide.acks'), {
    'websocket.heeder.x-id': 'websocket.header.x-id',
    'transform.a.type': 'transforms.a.type',
    'producer.overide.acks': 'producer.override.acks',
  })
  assert.deepEqual(nearest('websocket.header.x', 'transforms.a.typ', 'producer.override.ackss'), {})
})

test('other unknown keys are not judged, nor are names without bound', () => {
  assert.deepEqual(nearest('note', 'x', 'my.own.setting', 'tasks', 'names', 'a'.repeat(100_000)), {})
  const many = Array.from({ length: 100_000 }, (_, i) => `unknown.setting.${i}`)
  assert.deepEqual(nearest(...many), {})
})
