import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { incompatibility } from './compatible.ts'
import { loadProto, loadProtobufjs } from './load.ts'

before(loadProtobufjs)

const message = (fields: string) => loadProto(`syntax = "proto3"; message M { ${fields} }`, []).messages[0]!

test('a chosen message must have the fields of the record under their numbers, or not at all', () => {
  const own = message('int32 a = 1; int32 b = 2;')
  for (const fields of ['int32 a = 1; int32 b = 2;', 'int64 a = 1; string c = 3;', 'int32 renamed = 1;'])
    assert.equal(incompatibility(own, message(fields)), undefined, fields)
  assert.equal(
    incompatibility(own, message('int32 b = 1; int32 a = 2;')),
    'field a has the number 1 in the record, and 2 there',
  )
  assert.match(String(incompatibility(own, message('int32 a = 9;'))), /field a has the number 1/)
  assert.match(String(incompatibility(own, message('string a = 1;'))), /field 1 is int32 a in the record, and string a/)
})
