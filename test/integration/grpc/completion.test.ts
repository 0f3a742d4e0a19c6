import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'
import { type DrivenTask, driveTask, sequences, tickerProps } from '../../support/grpc-task.ts'
import { startTicker } from '../../support/grpc-ticker.ts'

/** The default of `grpc.on.completion` apart, the end is told by an error of this kind. */
async function endOf(driven: DrivenTask): Promise<unknown> {
  await driven.connect()
  const error = await driven.pollToError()
  assert.deepEqual(sequences(driven.records), [1, 2, 3])
  await driven.task.stop()
  return error
}

describe('a finite stream of grpc-go', () => {
  let server: ForeignServer
  before(async () => {
    const args = ['-count', '3', '-interval', '5ms']
    server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
  })
  after(() => server.stop())
  const streams = async (): Promise<number> => (await server.output()).match(/stream/g)?.length ?? 0

  test('is read again by default, and with reconnect', async () => {
    assert.ok((await endOf(await driveTask(tickerProps(server.port)))) instanceof NotConnectedError)
    const props = tickerProps(server.port, { 'grpc.on.completion': 'reconnect' })
    assert.ok((await endOf(await driveTask(props))) instanceof NotConnectedError)
  })

  test('fails the task with fail', async () => {
    const error = await endOf(await driveTask(tickerProps(server.port, { 'grpc.on.completion': 'fail' })))
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /ended the stream .*\(OK\).*grpc\.on\.completion is fail/)
  })

  test('is left with stop, also after a restart, until the request changes', async () => {
    const props = tickerProps(server.port, { 'grpc.on.completion': 'stop' })
    const first = await driveTask(props)
    await first.connect()
    await first.pollTo(3)
    assert.equal(first.task.position?.(), null)
    while (first.task.completed?.() === null) await first.poll()
    assert.match(String(first.task.completed?.()), /^Completed: the server ended the stream .* with OK/)
    const offset = first.task.position?.()?.offset ?? null
    assert.deepEqual([offset?.['sequence'], typeof offset?.['completed']], [3, 'string'])
    assert.equal(first.task.position?.(), null)
    assert.equal(await first.poll(), true)
    await first.task.stop()

    const before = await streams()
    const again = await driveTask(props, offset)
    await again.connect()
    assert.equal(await again.poll(), true)
    assert.deepEqual([again.records.length, await streams()], [0, before])
    assert.match(String(again.task.completed?.()), /^Completed/)
    assert.equal(again.task.position?.(), null)
    again.task.drain?.()
    await again.pollToEnd()
    await again.task.stop()

    const other = await driveTask({ ...props, 'grpc.request.message': '{"symbol":"B"}' }, offset)
    await other.connect()
    await other.pollTo(3)
    await other.task.stop()
  })
})

test('a stream that ends with OK before its first message is completed too', async () => {
  const ticker = await startTicker({ watch: (call) => void call.end() })
  const driven = await driveTask(tickerProps(ticker.port, { 'grpc.on.completion': 'stop' }))
  await driven.connect()
  while (driven.task.completed?.() === null) await driven.poll()
  assert.equal(driven.task.position?.()?.offset?.['sequence'], 0)
  await driven.task.stop()
  ticker.stop()
})
