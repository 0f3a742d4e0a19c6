import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseConfig } from '@tributary/connect-api'
import { type GrpcConfig, grpcSpec } from '../config/spec.ts'
import { KeepaliveLessons } from './keepalive-lessons.ts'

function config(host: string, more: Record<string, string> = {}): GrpcConfig {
  const required = { 'grpc.service.name': 'a.B', 'grpc.method.name': 'C', 'kafka.topic': 't' }
  return parseConfig(grpcSpec, { 'grpc.server.host': host, 'grpc.server.port': '1', ...required, ...more })
}

describe('the interval of PINGs', () => {
  const lessons = new KeepaliveLessons()

  test('is six minutes unless the configuration says otherwise', () => {
    assert.equal(lessons.timeMs(config('a')), 360_000)
    assert.equal(lessons.timeMs(config('a', { 'grpc.keepalive.time.ms': '30000' })), 30_000)
    assert.equal(lessons.timeMs(config('a', { 'grpc.keepalive.time.ms': '1' })), 10_000)
    assert.equal(lessons.timeMs(config('a', { 'grpc.keepalive.time.ms': '0' })), 0)
  })

  test('grows with a complaint, for this server and every later run', () => {
    const often = { 'grpc.keepalive.time.ms': '30000' }
    assert.equal(lessons.tooMany(config('b', often), 30_000), 360_000)
    assert.equal(lessons.timeMs(config('b', often)), 360_000)
    assert.equal(lessons.tooMany(config('b', often), 360_000), 720_000)
    assert.equal(lessons.timeMs(config('b')), 720_000)
    assert.equal(lessons.timeMs(config('a', often)), 30_000)
    assert.equal(lessons.timeMs(config('b', { 'grpc.keepalive.time.ms': '0' })), 0)
  })

  test('is remembered for a thousand servers', () => {
    for (let i = 0; i < 1000; i++) lessons.tooMany(config(`c${i}`), 360_000)
    assert.equal(lessons.timeMs(config('b')), 360_000)
    assert.equal(lessons.timeMs(config('c0')), 720_000)
  })
})
