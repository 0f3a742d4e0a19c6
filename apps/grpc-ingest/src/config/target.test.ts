import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@tributary/connect-api'
import { targetName, targetsOf } from './target.ts'

const shown = (hosts: string) => targetsOf(hosts, 1).map((t) => t.path ?? `${t.host} ${t.port} ${t.authority}`)

describe('grpc.server.host', () => {
  for (const [hosts, addresses, name] of [
    ['feed', ['feed 1 feed:1'], 'feed:1'],
    ['feed:7', ['feed 7 feed:7'], 'feed:7'],
    ['unix-feed', ['unix-feed 1 unix-feed:1'], 'unix-feed:1'],
    ['dns:feed', ['feed 1 feed:1'], 'feed:1'],
    ['dns:///feed:7', ['feed 7 feed:7'], 'feed:7'],
    ['::1', ['::1 1 [::1]:1'], '::1:1'],
    ['[::1]', ['::1 1 [::1]:1'], '[::1]:1'],
    ['dns:///[::1]:7', ['::1 7 [::1]:7'], '[::1]:7'],
    ['a:2, b ,c:3', ['a 2 a:2', 'b 1 b:1', 'c 3 c:3'], 'a:2'],
    ['ipv4:10.0.0.1:2,10.0.0.2', ['10.0.0.1 2 10.0.0.1:2', '10.0.0.2 1 10.0.0.2:1'], '10.0.0.1:2'],
    ['ipv6:[::1]:2,::2', ['::1 2 [::1]:2', '::2 1 [::2]:1'], '[::1]:2'],
    ['unix:run/feed', ['run/feed'], 'unix:run/feed'],
    ['unix:///run/feed', ['/run/feed'], 'unix:///run/feed'],
    ['unix-abstract:feed', ['\0feed'], 'unix-abstract:feed'],
  ] as const) {
    test(`takes ${hosts}`, () => {
      assert.deepEqual(shown(hosts), addresses)
      assert.equal(targetName(hosts, 1), name)
    })
  }

  for (const hosts of [
    'a,',
    'http://feed',
    'dns://8.8.8.8/feed',
    'feed:0',
    'feed:70000',
    'ipv4:feed',
    'unix:',
    'a b',
  ]) {
    test(`refuses ${hosts}`, () => {
      assert.throws(() => targetsOf(hosts, 1), ConfigError)
    })
  }

  test('refuses more addresses than the threads that look names up can spare', () => {
    assert.equal(targetsOf(Array(100).fill('feed').join(','), 1).length, 100)
    assert.throws(
      () => targetsOf(Array(101).fill('feed').join(','), 1),
      /Invalid value of 101 addresses .*: at most 100 are tried$/,
    )
  })
})
