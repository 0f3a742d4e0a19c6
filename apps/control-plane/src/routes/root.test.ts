import assert from 'node:assert/strict'
import test from 'node:test'
import { testApi } from '../testing/test-api.ts'

test('the root says which API this is', async () => {
  const { call } = testApi()
  assert.deepEqual((await call('GET', '/')).body, {
    version: '3.9.1',
    commit: 'tributary-0.0.0',
    kafka_cluster_id: 'kafka-1',
  })
})

test('the service is healthy only if it can read the config topic', async () => {
  const { call, configs } = testApi()
  assert.deepEqual((await call('GET', '/health')).body, {
    status: 'healthy',
    message: 'Worker has completed startup and is ready to handle requests.',
  })
  configs.outage = new Error('no broker answers')
  const sick = await call('GET', '/health')
  assert.equal(sick.status, 500)
  assert.deepEqual(sick.body, {
    status: 'unhealthy',
    message: 'The config topic cannot be read: no broker answers',
  })
})
