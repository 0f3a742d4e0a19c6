import assert from 'node:assert/strict'
import test from 'node:test'
import { defineConfig } from '@tributary/config'
import { maxTasksOf, SOURCE_CONNECTOR_KEYS, TRIBUTARY_CONNECTOR_KEYS } from './framework-config.ts'

test("a source connector has Kafka Connect's 20 framework keys, and our keys are separate", () => {
  assert.equal(Object.keys(SOURCE_CONNECTOR_KEYS).length, 20)
  const shared = Object.keys(TRIBUTARY_CONNECTOR_KEYS).filter((key) => key in SOURCE_CONNECTOR_KEYS)
  assert.deepEqual(shared, [])
})

test('every key has a group, a place in it and a valid default', () => {
  const spec = defineConfig({ ...SOURCE_CONNECTOR_KEYS, ...TRIBUTARY_CONNECTOR_KEYS })
  const places = spec.describe().map(({ group, order }) => `${group} ${order}`)
  assert.equal(new Set(places).size, places.length)
  assert.ok(places.every((place) => !place.startsWith('null') && !place.endsWith('-1')))
  const values = spec.parse({ name: 'a', 'connector.class': 'b' })
  assert.deepEqual([values['tasks.max'], values['errors.tolerance'], values.transforms], [1, 'none', []])
})

test('the most tasks are a number, also with a comment behind it, and 1 by default', () => {
  const values = ['8', ' 8  # Increase number of tasks', undefined].map((value) =>
    maxTasksOf(value === undefined ? {} : { 'tasks.max': value }),
  )
  assert.deepEqual(values, [8, 8, 1])
})
