import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grpcSource } from './plugin.ts'

test('a preview reads what a connector reads of which any address is the same, however it is written', () => {
  const sources = (host: string): readonly string[] => {
    const props = {
      ...{ 'grpc.server.host': host, 'grpc.server.port': '9090', 'kafka.topic': 't' },
      ...{ 'grpc.service.name': 'a.B', 'grpc.method.name': 'C' },
    }
    return grpcSource.preview!(props).sources!
  }
  assert.deepEqual(sources('Feed.example.com'), ['feed.example.com:9090'])
  assert.deepEqual(sources('dns:///b:1, feed.example.com'), ['b:1', 'feed.example.com:9090'])
  assert.deepEqual(sources('unix:/run/Feed'), ['/run/Feed'])
})
