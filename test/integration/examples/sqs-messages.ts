import { gzipSync } from 'node:zlib'

/** One message of an example, and the value of its record. */
export interface ExampleMessage {
  readonly body: string
  readonly value: string
  /** What the body points to in S3: key → bytes. */
  readonly objects?: Readonly<Record<string, string | Uint8Array>>
  /** Message attributes, texts. */
  readonly attributes?: Readonly<Record<string, string>>
}

export const BUCKET = 'example-bucket'
const uri = (key: string): string => `s3://${BUCKET}/${key}`
const gzip = (text: string): string => gzipSync(text).toString('base64')
/** A body is not changed, so its numbers keep their form. */
const order = (n: number): string => `{"order":${n}, "price": 250.00}`
const event = (data: unknown, field = 'data'): string =>
  JSON.stringify({ version: '0', 'detail-type': 'offer', detail: { id: 1, [field]: data } })

/** The kinds of messages that the documents' configurations read. `n` is the number of the message, `file` the example. */
export const KINDS = {
  plain: (n) => ({ body: order(n), value: order(n) }),
  /** The whole body is the address of an object. */
  object: (n, file) => ({ body: uri(`${file}-${n}`), value: order(n), objects: { [`${file}-${n}`]: order(n) } }),
  objectInField: (n, file) => ({
    body: event(uri(`${file}-${n}`), 's3Key'),
    value: event(order(n), 's3Key'),
    objects: { [`${file}-${n}`]: order(n) },
  }),
  objectInData: (n, file) => ({
    body: event(uri(`${file}-${n}`), 's3Data'),
    value: event(order(n), 's3Data'),
    objects: { [`${file}-${n}`]: order(n) },
  }),
  objectInNamedField: (n, file) => ({
    body: JSON.stringify({ s3Uri: uri(`${file}-${n}`), n }),
    value: JSON.stringify({ s3Uri: order(n), n }),
    objects: { [`${file}-${n}`]: order(n) },
  }),
  compressedObjectInField: (n, file) => ({
    body: event(uri(`${file}-${n}`), 's3Key'),
    value: event(order(n), 's3Key'),
    objects: { [`${file}-${n}`]: gzip(order(n)) },
  }),
  compressed: (n) => ({ body: gzip(order(n)), value: order(n) }),
  compressedField: (n) => ({ body: event(gzip(`{"offer":${n}}`)), value: event({ offer: n }) }),
  field: (n) => ({ body: event({ offer: n }), value: `{"offer":${n}}` }),
  /** Every other message is an object. The extracted field is the record. */
  fieldOfObject: (n, file) =>
    n % 2 === 0
      ? { body: event(gzip(`{"offer":${n}}`)), value: `{"offer":${n}}` }
      : {
          body: event(uri(`${file}-${n}`)),
          value: `{"offer":${n}}`,
          objects: { [`${file}-${n}`]: gzip(`{"offer":${n}}`) },
        },
  compressedFieldOrObject: (n, file) =>
    n % 2 === 0
      ? { body: event(gzip(`{"offer":${n}}`)), value: event({ offer: n }) }
      : {
          body: event(uri(`${file}-${n}`)),
          value: event({ offer: n }),
          objects: { [`${file}-${n}`]: gzip(`{"offer":${n}}`) },
        },
  filtered: (n) => ({
    body: order(n),
    value: order(n),
    attributes: { Type: n % 2 === 0 ? 'order' : 'payment', Priority: `high-${n}`, Region: 'eu' },
  }),
} as const satisfies Record<string, (n: number, file: string) => ExampleMessage>

export type Kind = keyof typeof KINDS
