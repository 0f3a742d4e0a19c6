import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { createLogger } from '@tributary/telemetry'
import { advertisedHost, assertBind, hostPort, isLoopback } from './bind.ts'

test('every form of the loopback address is recognized', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.com', 'example.com']) assert.ok(!isLoopback(host), host)
})

test('a bind beyond loopback needs an explicit setting and logs a warning', () => {
  const lines: string[] = []
  const log = createLogger({ name: 'test.bind', stream: { write: (line) => lines.push(line) } })
  assert.throws(() => assertBind('admin.host', '0.0.0.0', false, log), /admin.host: it would open a server without/)
  assertBind('admin.host', '127.0.0.1', false, log)
  assert.equal(lines.length, 0)
  assertBind('admin.host', '0.0.0.0', true, log)
  assert.match(lines[0]!, / WARN .* event=unauthenticated_bind /)
})

test('the advertised host is one that others can reach', () => {
  assert.equal(advertisedHost('127.0.0.1', null), '127.0.0.1')
  assert.equal(advertisedHost('0.0.0.0', 'worker-1'), 'worker-1')
  assert.equal(advertisedHost('::', null), hostname())
  assert.equal(hostPort('::1', 80), '[::1]:80')
  assert.equal(hostPort('h', 80), 'h:80')
})
