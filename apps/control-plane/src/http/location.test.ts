import assert from 'node:assert/strict'
import test from 'node:test'
import { testApi } from '../testing/test-api.ts'

test('Location is absolute and encoded as JAX-RS does it', async () => {
  const { call } = testApi()
  const cases = [
    ['c1', 'c1'],
    ['b/ü+ %25c', 'b/%C3%BC+%20%25c'],
    ['sp ace?q#h&a', 'sp%20ace%3Fq%23h&a'],
    ['100%', '100%25'],
    ['lone \ud800', 'lone%20%EF%BF%BD'],
  ]
  for (const [name, encoded] of cases) {
    const config = { 'connector.class': 'FileStreamSource', topic: 't' }
    const answer = await call('POST', '/connectors', { name, config })
    assert.equal(answer.headers['location'], `http://rest:8083/connectors/${encoded}`)
  }
})
