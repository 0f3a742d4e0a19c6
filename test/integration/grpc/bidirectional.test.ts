import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, sequences, tickerProps } from '../../support/grpc-task.ts'
import { until } from '../../support/until.ts'

const chat = (port: number, more: Props = {}): Props =>
  tickerProps(port, { 'grpc.method.name': 'Chat', 'grpc.request.message': '{"token":"a"}', ...more })
/** `WatchRequest.token` is field 3. */
const REQUEST = 'request 1a0161'

test("a bidirectional method of grpc-go is read to its end, and the client's side stays open", async (t) => {
  const args = ['-count', '3', '-interval', '100ms']
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
  t.after(() => server.stop())
  const driven = await driveTask(chat(server.port))
  await driven.connect()
  assert.match(String(await driven.pollToError()), /\(OK\)/)
  assert.deepEqual(sequences(driven.records), [1, 2, 3])
  await driven.task.stop()
  const output = await server.output()
  assert.ok(output.includes(REQUEST))
  assert.doesNotMatch(output, /half-closed/)
})

test('a bidirectional method gets a further request again and again', async (t) => {
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args: ['-interval', '1h'] })
  t.after(() => server.stop())
  const repeat = { 'grpc.request.repeat.ms': '20', 'grpc.request.repeat.message': '{"token":"b"}' }
  const driven = await driveTask(chat(server.port, repeat))
  await driven.connect()
  const requests = async (): Promise<string[]> => (await server.output()).match(/request \w+/g) ?? []
  await until('four requests', async () => (await requests()).length >= 4)
  await driven.task.stop()
  assert.deepEqual((await requests()).slice(0, 4), [REQUEST, 'request 1a0162', 'request 1a0162', 'request 1a0162'])
})

test('a method that takes one request cannot get further ones', async () => {
  const driven = await driveTask(tickerProps(1, { 'grpc.request.repeat.ms': '20' })).catch((error: unknown) => error)
  const message = { 'grpc.request.repeat.message': '{}' }
  const unsent = await driveTask(tickerProps(1, message)).catch((error: unknown) => error)
  assert.match(String(unsent), /never sent while grpc\.request\.repeat\.ms is 0/)
  assert.match(String(driven), /takes one request, so grpc\.request\.repeat\.ms must be 0/)
})
