import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { RequestSource } from './request-source.ts'

const setting = 'rest.allowed.hosts'
const loopback = new RequestSource({ bound: '127.0.0.1', advertised: 'connect.intern', allowed: '', setting })
const open = new RequestSource({
  bound: '0.0.0.0',
  advertised: null,
  allowed: 'connect.example.org, *.lan.example.org',
  setting,
})
const statusOf = (source: RequestSource, method: string, headers: Record<string, string>): number =>
  source.refusal(method, headers)?.status ?? 200

test('a name in Host that a page could own is refused with 421; addresses and own names are answered', () => {
  const cases: [RequestSource, string, number][] = [
    [loopback, 'localhost:8083', 200],
    [loopback, 'LOCALHOST', 200],
    [loopback, '127.0.0.1:8083', 200],
    [loopback, '[::1]:8083', 200],
    [loopback, '192.168.1.5:30083', 200],
    [loopback, 'app.localhost:8083', 200],
    [loopback, 'connect.intern:8083', 200],
    [loopback, 'Connect.Intern.', 200],
    [loopback, 'evil.example', 421],
    [loopback, 'evil.example:8083', 421],
    [loopback, 'localhost.evil.example', 421],
    [loopback, '127.0.0.1.evil.example', 421],
    [loopback, 'kafka-connect:8083', 421],
    [loopback, '', 421],
    [loopback, 'a@localhost', 421],
    [loopback, 'localhost:8083:1', 421],
    [loopback, '[evil.example]', 421],
    [open, `${hostname()}:8083`, 200],
    [open, 'kafka-connect:8083', 200],
    [open, '10.1.2.3:8083', 200],
    [open, 'connect.example.org', 200],
    [open, 'a.b.lan.example.org:443', 200],
    [open, 'xconnect.example.org', 421],
    [open, 'lan.example.org', 421],
    [open, 'connect.example.org.evil.example', 421],
  ]
  for (const [source, host, status] of cases) assert.equal(statusOf(source, 'GET', { host }), status, host)
  assert.equal(statusOf(loopback, 'GET', {}), 200, 'HTTP/1.0')
  const { message } = loopback.refusal('GET', { host: 'evil.example' })!
  assert.match(message, /"evil\.example"\. If this is one of its names, add it to rest\.allowed\.hosts\./)
  assert.ok(loopback.refusal('GET', { host: 'x'.repeat(9000) })!.message.length < 300)
})

test('a request that changes something is refused with 403 when another site sends it, with a body or without', () => {
  const host = 'localhost:8083'
  const cases: [Record<string, string>, number][] = [
    [{}, 200],
    [{ origin: 'http://localhost:8083' }, 200],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'http://localhost:3000' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'file://' }, 403],
    [{ origin: '' }, 403],
    [{ origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    // A user interface on another port whose server passes requests on: the browser says that its page sent them.
    [{ origin: 'http://localhost:8000', 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'https://ui.example.org', 'x-forwarded-host': 'ui.example.org' }, 200],
    [{ origin: 'https://ui.example.org', 'x-forwarded-host': 'other.example.org' }, 403],
  ]
  for (const [headers, status] of cases) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal(statusOf(loopback, method, { host, ...headers }), status, `${method} ${JSON.stringify(headers)}`)
    }
    assert.equal(statusOf(loopback, 'GET', { host, ...headers }), 200)
    assert.equal(statusOf(loopback, 'OPTIONS', { host, ...headers }), 200)
  }
})

test('pages of an allowed origin may change something', () => {
  const allowsOrigin = (origin: string): boolean => origin === 'https://ui.example.org'
  const source = new RequestSource({ bound: '127.0.0.1', advertised: null, allowed: '', setting, allowsOrigin })
  const host = 'localhost'
  assert.equal(statusOf(source, 'PUT', { host, origin: 'https://ui.example.org', 'sec-fetch-site': 'cross-site' }), 200)
  assert.equal(statusOf(source, 'PUT', { host, origin: 'https://ui2.example.org' }), 403)
})
