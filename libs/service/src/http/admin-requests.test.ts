import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { startAdminServer } from '../admin-server.ts'

test('the admin server answers to its own names only, takes names of any length in a path, and no endless body', async (t) => {
  const admin = await startAdminServer({ host: '127.0.0.1', port: 0, log: silentLog, ready: () => true })
  t.after(() => admin.close())
  const handled: string[] = []
  admin.app.put<{ Params: { name: string } }>('/internal/:name', (request) => {
    handled.push(request.params.name)
    return {}
  })
  await admin.open()
  /** All that comes until the server closes the connection. */
  const exchange = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(admin.port, '127.0.0.1', () => socket.write(text))
      let received = ''
      socket.on('data', (chunk) => (received += String(chunk)))
      socket.on('error', () => {})
      socket.on('close', () => resolve(received))
    })
  const get = (host: string): Promise<string> =>
    exchange(`GET /metrics HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
  assert.match(await get('localhost'), /^HTTP\/1\.1 200 /)
  assert.match(await get('evil.example'), /^HTTP\/1\.1 421 [^]*"error_code":421,"message":"This server is not called/)

  const put = (path: string, more: string): Promise<string> =>
    exchange(`PUT ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${more}\r\n`)
  assert.match(await put('/internal/a', 'origin: http://evil.example\r\n'), /^HTTP\/1\.1 403 /)
  assert.match(await put(`/internal/${'x'.repeat(6000)}`, ''), /^HTTP\/1\.1 200 /)
  const large = `content-type: application/json\r\ncontent-length: ${5 * 1024 * 1024}\r\n`
  assert.match(await put('/internal/a', large), /^HTTP\/1\.1 413 /)
  assert.deepEqual(handled, ['x'.repeat(6000)])
})
