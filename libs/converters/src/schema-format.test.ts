import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { NotReadyError, type Schema } from '@tributary/connect-api'
import { createConverter } from './registry.ts'

async function ready<T>(run: () => T): Promise<T> {
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
      await error.ready(new AbortController().signal)
    }
  }
}

const SCHEMA: Schema = { type: 'struct', name: 'R', fields: [] }

/** Gives the answers for the ids 0, 1 and so on. Resolves with its URL. */
async function registryOf(t: TestContext, answers: readonly object[]): Promise<string> {
  const server = createServer((request, response) => {
    response.end(JSON.stringify(answers[Number(/ids\/(\d)/.exec(request.url!)![1])]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a schema of another format is refused, for writing and for reading', async (t) => {
  // Texts that could be taken for a schema of the other format.
  const answers = [
    { schemaType: 'JSON', schema: '{"type":"record","name":"R","fields":[]}' },
    { schemaType: 'AVRO', schema: 'syntax = "proto3"; message R {}' },
    { schemaType: 'AVRO', schema: '{"type":"object"}' },
  ]
  const url = await registryOf(t, answers)
  for (const [id, name] of ['AvroConverter', 'ProtobufConverter', 'JsonSchemaConverter'].entries()) {
    const settings = {
      'schema.registry.url': url,
      'auto.register.schemas': 'false',
      'use.schema.id': String(id),
      'id.compatibility.strict': 'false',
    }
    const prefixed = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`value.converter.${key}`, value]),
    )
    const converter = createConverter('value.converter', { 'value.converter': name, ...prefixed }, false)
    const refusal = { kind: 'data', code: 'SCHEMA_INCOMPATIBLE', message: new RegExp(`${name} needs one of`) }
    await assert.rejects(
      ready(() => converter.fromConnectData('t', SCHEMA, {})),
      refusal,
    )
    await assert.rejects(
      ready(() => converter.toConnectData('t', Buffer.from([0, 0, 0, 0, id, 0x7b, 0x7d]))),
      refusal,
    )
  }
})

test('JSON that is no UTF-8 is refused, and U+FFFD is text like any other', async (t) => {
  const url = await registryOf(t, [{ schemaType: 'JSON', schema: '{"type":"string"}' }])
  const props = { 'value.converter': 'JsonSchemaConverter', 'value.converter.schema.registry.url': url }
  const converter = createConverter('value.converter', props, false)
  const read = (json: Uint8Array) =>
    ready(() => converter.toConnectData('t', Buffer.concat([Buffer.alloc(5), json])).value)
  await assert.rejects(read(Buffer.of(0x22, 0xff, 0x22)), { kind: 'data', message: /no UTF-8/ })
  assert.equal(await read(Buffer.from('"\ufffd"')), '\ufffd')
})
