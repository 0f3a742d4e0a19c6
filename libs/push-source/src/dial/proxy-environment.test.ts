import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor, unusableProxy } from './proxy-environment.ts'

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

for (const [text, why] of [
  ['socks5://me:geheim@proxy.test:1080', 'is a proxy of the kind socks5'],
  ['SOCKS5H://proxy.test:1080', 'is a proxy of the kind SOCKS5H'],
  ['http://geheim proxy.test', 'is no address'],
  ['proxy test', 'is no address'],
  ['http://proxy.test:3128', null],
] as const) {
  test(`why http_proxy=${text} is not used is told: ${why}`, () => {
    const told = unusableProxy({ host: 'feed' }, { http_proxy: text })
    const rest = '; only http and https proxies are used, so connections to feed are direct'
    assert.equal(told, why === null ? null : `http_proxy ${why}${rest}`)
  })
}

test('nothing is told of a proxy that would not be used for the host', () => {
  assert.equal(unusableProxy({ host: 'localhost' }, { grpc_proxy: 'socks5://proxy.test' }), null)
  assert.equal(unusableProxy({ host: 'feed' }, { grpc_proxy: 'socks5://proxy.test', no_proxy: 'feed' }), null)
  assert.equal(unusableProxy({ host: 'feed' }, { grpc_proxy: PROXY, http_proxy: 'socks5://proxy.test' }), null)
  assert.equal(unusableProxy({ host: 'feed' }, {}), null)
})

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
