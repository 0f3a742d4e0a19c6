import { LoggerLevels } from '@tributary/telemetry'
import assert from 'node:assert/strict'
import test from 'node:test'
import { setLoggerLevel } from './logger-levels.ts'

test("logger names of the JVM connectors' documents set our loggers, too", () => {
  const cases = [
    ['io.conduktor.connect.grpc', 'io.tributary.connect.grpc'],
    ['io.conduktor.connect.websocket.WebSocketSourceTask', 'io.tributary.connect.websocket'],
    ['io.conduktor.connect', 'io.tributary.connect'],
    ['io.connect.sqs', 'io.tributary.connect.sqs'],
    ['io.grpc', 'io.tributary.connect.grpc'],
    ['io.netty.handler.codec.http2', 'io.tributary.connect.grpc'],
    ['okhttp3', 'io.tributary.connect.websocket'],
  ] as const
  for (const [documented, ours] of cases) {
    const levels = new LoggerLevels()
    assert.deepEqual(setLoggerLevel(levels, documented, 'debug'), [documented])
    assert.deepEqual(Object.keys(levels.all()), [documented, ours, 'root'].sort())
    assert.equal(
      levels.effective('io.tributary.connect.grpc.x') === 'debug',
      ours.endsWith('grpc') || ours.endsWith('connect'),
    )
  }
})

test('other logger names set only themselves', () => {
  for (const name of ['io.tributary.connect.grpc', 'io.conduktor.connector', 'io.grpcx', 'org.apache.kafka', 'root']) {
    const levels = new LoggerLevels()
    setLoggerLevel(levels, name, 'debug')
    assert.deepEqual(Object.keys(levels.all()), [...new Set([name, 'root'])])
  }
})
