import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import type { GrpcConfig } from '../config/spec.ts'
import { configWith } from '../config/testing.ts'
import { KeepaliveLessons } from './keepalive-lessons.ts'

const config = (host: string, more: Props = {}): GrpcConfig => configWith({ 'grpc.server.host': host, ...more })

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
