import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpText } from './help.ts'
import { serviceSettings } from './settings.ts'

test('help lists every setting by its variable, with type and default', () => {
  const text = helpText('grpc-ingest', '1.2.3', serviceSettings.data)
  assert.match(text, /^grpc-ingest 1\.2\.3\n/)
  assert.match(text, /\n {2}TRIBUTARY_ADMIN_PORT {2}\(int, default 0\)\n {6}Port of the admin server/)
  for (const name of Object.keys(serviceSettings.keys)) {
    assert.ok(text.includes(`TRIBUTARY_${name.toUpperCase().replaceAll('.', '_')} `), name)
  }
  assert.ok(text.split('\n').every((line) => line.length <= 100))
})
