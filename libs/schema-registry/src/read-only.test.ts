import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { NotReadyError } from '@tributary/connect-api'
import { SchemaWriter } from './schema-writer.ts'

const SCHEMAS: Readonly<Record<string, string>> = { 'known-value': '"string"' }

test('a writer that is read-only looks schemas up, registers none, and tells which it would have registered', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`)
    const subject = request.url?.split('/')[2]?.split('?')[0] ?? ''
    const known = SCHEMAS[subject]
    response.writeHead(known === undefined ? 404 : 200, { 'content-type': 'application/json' })
    const missing = { error_code: 40401, message: `Subject '${subject}' not found.` }
    response.end(JSON.stringify(known === undefined ? missing : { subject, id: 7, version: 1, schema: known }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const writer = new SchemaWriter<object, number>({ 'schema.registry.url': url }, false, {
    describe: () => ({ format: 'AVRO', schema: '"string"', recordName: null }),
    prepare: (_key, { id }) => id,
  })
  const told: string[] = []
  writer.readOnly((what) => told.push(what))
  const key = {}
  const find = async (topic: string): Promise<number> => {
    try {
      return writer.find(topic, key)
    } catch (error) {
      assert.ok(error instanceof NotReadyError)
      await error.ready(AbortSignal.timeout(10_000))
      return writer.find(topic, key)
    }
  }
  assert.deepEqual([await find('known'), await find('other'), await find('other')], [7, 0, 0])
  assert.deepEqual(asked, ['POST /subjects/known-value', 'POST /subjects/other-value'])
  assert.deepEqual(told, ['A schema of the subject other-value would be registered. Its id is not known yet: 0 stands for it.']) // prettier-ignore
})
