import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConverter, createHeaderConverter } from './registry.ts'

test('a class is named by its whole name, its simple name, or without the word Converter', () => {
  for (const name of ['org.apache.kafka.connect.json.JsonConverter', 'JsonConverter', 'Json']) {
    const bytes = createConverter('value.converter', { 'value.converter': name }, false).fromConnectData('t', null, 1)
    assert.equal(String(bytes), '{"schema":null,"payload":1}')
  }
  createHeaderConverter('header.converter', { 'header.converter': 'Simple' })
})

test('a setting that does not fit is a config error that names its whole key', () => {
  const config = { 'value.converter': 'Json', 'value.converter.schemas.enable': 'perhaps' }
  assert.throws(() => createConverter('value.converter', config, false), {
    kind: 'config',
    field: 'value.converter.schemas.enable',
    message: 'Invalid value perhaps for configuration schemas.enable: Expected value to be either true or false',
  })
  const encoding = { 'header.converter': 'StringConverter', 'header.converter.converter.encoding': 'EBCDIC' }
  assert.throws(() => createHeaderConverter('header.converter', encoding), {
    kind: 'config',
    field: 'header.converter.converter.encoding',
  })
})
