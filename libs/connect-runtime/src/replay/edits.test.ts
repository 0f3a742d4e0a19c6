import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReplayEdit, Schema, SourceRecord } from '@tributary/connect-api'
import { parsePath } from './edit-path.ts'
import { Edits } from './edits.ts'

const edited = (json: string, ...edits: ReplayEdit[]): string | null => {
  const bytes = new Edits(edits).ofBytes(Buffer.from(json))
  return bytes === null ? null : Buffer.from(bytes).toString()
}
const refused = (message: RegExp) => ({ code: 'REPLAY_EDIT_REFUSED', message })

test('a path names fields, elements and the whole value', () => {
  assert.deepEqual(parsePath('order.items[0].id'), ['order', 'items', 0, 'id'])
  assert.deepEqual(parsePath('$.a[\'b.c\']["d"]'), ['a', 'b.c', 'd'])
  assert.deepEqual(parsePath('$'), [])
  assert.deepEqual(parsePath('$[2]'), [2])
  assert.deepEqual(parsePath('__proto__'), ['__proto__'])
  for (const path of ['', 'a.', 'a..b', 'a[', 'a[]', 'a[x]', 'a[0]b', `a${'.b'.repeat(200)}`]) {
    assert.throws(() => parsePath(path), refused(/of an edit/))
  }
})

describe('edits of JSON text', () => {
  test('cast, mask and replace what the path names, and leave the rest as it was written', () => {
    const json =
      '{"id":12345678901234567890,"price":"19.90","n":"7","ok":"true","card":"4711","f":1.0,"o":{"a":[1,"2"]}}'
    assert.equal(
      edited(
        json,
        { field: 'price', operation: 'cast', value: 'double' },
        { field: 'n', operation: 'cast', value: 'int' },
        { field: 'ok', operation: 'cast', value: 'boolean' },
        { field: 'card', operation: 'mask' },
        { field: 'o.a[1]', operation: 'cast', value: 'long' },
        { field: 'o.b', operation: 'replace', value: { x: null } },
      ),
      '{"id":12345678901234567890,"price":19.9,"n":7,"ok":true,"card":"","f":1.0,"o":{"a":[1,2],"b":{"x":null}}}',
    )
    assert.equal(edited('{"n":9007199254740993}', { field: 'n', operation: 'cast', value: 'string' }), '{"n":"9007199254740993"}') // prettier-ignore
    assert.equal(edited('{"n":"9007199254740993"}', { field: 'n', operation: 'cast', value: 'long' }), '{"n":9007199254740993}') // prettier-ignore
    assert.equal(edited('{"n":-7.9}', { field: 'n', operation: 'cast', value: 'int' }), '{"n":-7}')
    assert.equal(edited('{"n":5,"c":"x"}', { field: 'n', operation: 'mask', value: '9' }, { field: 'c', operation: 'mask', value: '***' }), '{"n":9,"c":"***"}') // prettier-ignore
  })

  test('what is not there needs no cast and no mask, and a replacement adds a field to what is there', () => {
    const none: ReplayEdit[] = [
      { field: 'x', operation: 'cast', value: 'int' },
      { field: 'x.y', operation: 'mask' },
      { field: 'n', operation: 'cast', value: 'int' },
    ]
    assert.equal(edited('{"n":null}', ...none), '{"n":null}')
    assert.equal(edited('{}', { field: '__proto__', operation: 'replace', value: 1 }), '{"__proto__":1}')
    assert.throws(() => edited('{}', { field: 'a.b', operation: 'replace', value: 1 }), refused(/a\.b.*no field a/))
    assert.throws(() => edited('[1]', { field: '[1]', operation: 'replace', value: 1 }), refused(/no element 1/))
  })

  test('a value that cannot be cast is refused by name, not shown', () => {
    for (const [json, value] of [
      ['"x"', 'int'],
      ['2147483648', 'int'],
      ['1e400', 'double'],
      ['{"a":1}', 'double'],
      ['"maybe"', 'boolean'],
      ['9223372036854775808', 'long'],
    ] as const) {
      assert.throws(() => edited(json, { field: '$', operation: 'cast', value }), refused(/edit of \$ .* is no /))
    }
    assert.throws(
      () => new Edits([{ field: 'a', operation: 'cast', value: 'date' as 'int' }]),
      refused(/casts to date/),
    )
    assert.throws(() => new Edits([{ field: 'a', operation: 'drop' } as unknown as ReplayEdit]), refused(/drop/))
  })

  test('the whole value may be replaced, also where it is no JSON, and is text then', () => {
    assert.equal(edited('no JSON', { field: 'a', operation: 'replace', value: 1 }), null)
    assert.equal(edited('no JSON', { field: '$', operation: 'replace', value: { a: 1 } }), '{"a":1}')
    assert.equal(edited('no JSON', { field: '$', operation: 'replace', value: 'text' }), 'text')
    assert.equal(edited('"JSON"', { field: '$', operation: 'replace', value: 'text' }), '"text"')
  })
})

test('edits of a record keep to its schema', () => {
  const schema: Schema = {
    type: 'struct',
    fields: [
      { name: 'id', schema: { type: 'int64' } },
      { name: 'name', schema: { type: 'string', optional: true } },
    ],
  }
  const record: SourceRecord = {
    ...{ sourcePartition: {}, sourceOffset: {}, topic: 't', key: null, timestamp: null },
    ...{ value: { id: 1n, name: 'x' }, valueSchema: schema, original: Buffer.of(8, 1) },
  }
  const change = (edit: ReplayEdit): SourceRecord => new Edits([edit]).ofRecord(record)
  assert.deepEqual(change({ field: 'id', operation: 'replace', value: 7 }).value, { id: 7n, name: 'x' })
  assert.deepEqual(change({ field: 'name', operation: 'mask' }).value, { id: 1n, name: '' })
  assert.equal(change({ field: 'name', operation: 'mask' }).original, undefined)
  assert.deepEqual(record.value, { id: 1n, name: 'x' })
  assert.throws(() => change({ field: 'id', operation: 'cast', value: 'string' }), { code: 'VALUE_INVALID' })
  const text = { ...record, value: '{"id":"1"}', valueSchema: null }
  assert.equal(new Edits([{ field: 'id', operation: 'cast', value: 'int' }]).ofRecord(text).value, '{"id":1}')
})
