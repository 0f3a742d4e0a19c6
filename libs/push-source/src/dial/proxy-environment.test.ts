import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor } from './proxy-environment.ts'

const PROXY = 'http://proxy.test:3128'
const used = (host: string, environment: Record<string, string>) =>
  proxyFor({ host }, environment)?.url.hostname ?? null

test('the first of grpc_proxy, https_proxy and http_proxy is used, in small or capital letters', () => {
  assert.equal(used('feed', { grpc_proxy: 'http://a', https_proxy: 'http://b', http_proxy: 'http://c' }), 'a')
  assert.equal(used('feed', { HTTPS_PROXY: 'http://b', http_proxy: 'http://c' }), 'b')
  assert.equal(used('feed', { http_proxy: 'http://c', grpc_proxy: ' ' }), 'c')
  assert.equal(used('feed', {}), null)
})

for (const [text, href] of [
  ['proxy.test:3128', 'http://proxy.test:3128/'],
  [' 10.0.0.1:3128', 'http://10.0.0.1:3128/'],
  ['me:secret@proxy.test:3128', 'http://me:secret@proxy.test:3128/'],
  ['proxy.test', 'http://proxy.test/'],
  ['HTTPS://proxy.test:3128', 'https://proxy.test:3128/'],
  ['socks5://proxy.test:1080', null],
] as const) {
  test(`http_proxy=${text} is ${href === null ? 'no proxy' : `the proxy ${href}`}`, () => {
    assert.equal(proxyFor({ host: 'feed' }, { http_proxy: text })?.url.href ?? null, href)
  })
}

test('no_grpc_proxy comes before no_proxy', () => {
  assert.equal(used('feed', { grpc_proxy: PROXY, no_grpc_proxy: 'other', no_proxy: 'feed' }), 'proxy.test')
})

for (const [list, host, direct] of [
  ['*', 'feed.test', true],
  ['feed.test', 'feed.test', true],
  ['a, .test', 'feed.test', true],
  ['test', 'Feed.Test', true],
  ['est', 'feed.test', false],
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['10.0.0.0/99', '10.1.2.3', false],
  ['fd00::/8', 'fd00::1', true],
  ['', 'localhost', true],
  ['', '127.0.0.2', true],
  ['', '::1', true],
] as const) {
  test(`with no_proxy=${list}, ${host} is reached ${direct ? 'directly' : 'through the proxy'}`, () => {
    assert.equal(used(host, { grpc_proxy: PROXY, no_proxy: list }), direct ? null : 'proxy.test')
  })
}
