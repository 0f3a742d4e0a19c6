import { type ConnectRecord, Decimal, LOGICAL, type Schema } from '@tributary/connect-api'

/** Every type of a schema, each as a field of one struct. */
const EVERYTHING: Schema = {
  type: 'struct',
  name: 'com.example.Everything',
  version: 2,
  doc: 'One field of each type.',
  parameters: { a: 'b' },
  fields: [
    { name: 'int8', schema: { type: 'int8' } },
    { name: 'int16', schema: { type: 'int16', default: 7 } },
    { name: 'int32', schema: { type: 'int32' } },
    { name: 'int64', schema: { type: 'int64' } },
    { name: 'float32', schema: { type: 'float32' } },
    { name: 'float64', schema: { type: 'float64' } },
    { name: 'boolean', schema: { type: 'boolean' } },
    { name: 'string', schema: { type: 'string', optional: true, default: 'd' } },
    { name: 'bytes', schema: { type: 'bytes' } },
    { name: 'array', schema: { type: 'array', valueSchema: { type: 'string' } } },
    { name: 'map', schema: { type: 'map', keySchema: { type: 'string' }, valueSchema: { type: 'int64' } } },
    { name: 'nothing', schema: { type: 'string', optional: true } },
    { name: 'decimal', schema: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } } },
    { name: 'date', schema: { type: 'int32', name: LOGICAL.Date, version: 1 } },
    { name: 'time', schema: { type: 'int32', name: LOGICAL.Time, version: 1 } },
    { name: 'timestamp', schema: { type: 'int64', name: LOGICAL.Timestamp, version: 1 } },
    {
      name: 'inner',
      schema: { type: 'struct', optional: true, fields: [{ name: 'string', schema: { type: 'string' } }] },
    },
  ],
}

function everything(): Record<string, unknown> {
  return {
    int8: 1,
    int16: 2,
    int32: 3,
    int64: 2n ** 60n,
    float32: 0.5,
    float64: 0.1,
    boolean: true,
    string: 'text 😀',
    bytes: Buffer.from([0, 255]),
    array: ['a', 'b'],
    map: new Map([['k', 1n]]),
    nothing: null,
    decimal: new Decimal(12_345n, 2),
    date: new Date(86_400_000),
    time: new Date(1),
    timestamp: new Date(1_700_000_000_000),
    inner: { string: 'x' },
  }
}

/** Names that objects of JavaScript have, as members of their own. */
const hostile = (): unknown =>
  JSON.parse('{"__proto__":{"polluted":1},"constructor":"c","toString":null,"hasOwnProperty":{"a":1}}')

const HOSTILE: Schema = {
  type: 'struct',
  fields: ['__proto__', 'constructor', 'hasOwnProperty'].map((name) => ({
    name,
    schema: { type: 'string', optional: true },
  })),
}
const hostileStruct = (): unknown => JSON.parse('{"__proto__":"p","constructor":"c"}')

export interface SampleValue {
  readonly schema: Schema | null
  readonly value: unknown
}

/** Values of all kinds, made anew by each call: tombstones, schemaless ones, every type, names that confuse objects. */
export function sampleValues(): readonly SampleValue[] {
  return [
    { schema: null, value: null },
    { schema: { type: 'string', optional: true }, value: null },
    { schema: EVERYTHING, value: everything() },
    { schema: { ...EVERYTHING, optional: true }, value: null },
    { schema: HOSTILE, value: hostileStruct() },
    ...EVERYTHING.fields!.map(({ name, schema }) => ({ schema, value: everything()[name] ?? null })),
    { schema: null, value: 'text' },
    { schema: null, value: '' },
    { schema: null, value: 1.5 },
    { schema: null, value: 2n ** 62n },
    { schema: null, value: true },
    { schema: null, value: [1, 'a', null, { b: [] }] },
    { schema: null, value: { a: 1, b: { c: 'd' }, e: null } },
    { schema: null, value: {} },
    { schema: null, value: hostile() },
    { schema: null, value: Buffer.from('bytes') },
    { schema: null, value: new Map([['a', 1]]) },
  ]
}

/** Records with each of the values as value and as key, made anew by each call. */
export function sampleRecords(): readonly ConnectRecord[] {
  const record = (more: Partial<ConnectRecord>): ConnectRecord => ({
    topic: 'quotes',
    key: null,
    value: null,
    timestamp: 1_700_000_000_000,
    ...more,
  })
  const asValue = sampleValues().map(({ schema, value }) => record({ value, valueSchema: schema }))
  const asKey = sampleValues().map(({ schema, value }) => record({ key: value, keySchema: schema, value: 'v' }))
  return [
    ...asValue,
    ...asKey,
    record({ topic: '__proto__', partition: 3, timestamp: null }),
    record({
      value: { a: 1 },
      headers: [
        { name: 'constructor', value: 'c', schema: { type: 'string' } },
        { name: '__proto__', value: null },
        { name: 'h', value: { a: [1] }, schema: null },
        { name: 'h', value: Buffer.from([1]), schema: { type: 'bytes' } },
      ],
    }),
  ]
}
