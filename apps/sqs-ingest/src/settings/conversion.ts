import type { Keys } from '@tributary/config'

const FORMAT = 'Message Format'
const DECOMPRESSION = 'Message Decompression'
const CLAIM_CHECK = 'Message Claim Check Pattern'
const EXTRACTION = 'Output Field Extraction'
const MIB = 1024 * 1024
const PREFIX = 'io.connect.sqs.converter.'

export const DEFAULT_CONVERTER = `${PREFIX}DefaultMessageConverter`
export const DECOMPRESSING_CONVERTER = `${PREFIX}DecompressingMessageConverter`
export const CLAIM_CHECK_CONVERTER = `${PREFIX}ClaimCheckMessageConverter`
export const DECOMPRESSING_CLAIM_CHECK_CONVERTER = `${PREFIX}DecompressingClaimCheckMessageConverter`

/** Around every other one once `message.output.field.extract` is set, so its name means the default converter. */
export const FIELD_EXTRACTOR_CONVERTER = `${PREFIX}FieldExtractorConverter`
/** Those that write records with a schema registry. Each is the last one: it delegates to none. */
export const AVRO_CONVERTER = `${PREFIX}AvroMessageConverter`
export const PROTOBUF_CONVERTER = `${PREFIX}ProtobufMessageConverter`
export const JSON_SCHEMA_CONVERTER = `${PREFIX}JsonSchemaMessageConverter`

/** The converters that there are, by the class names of the JVM connector. */
export const MESSAGE_CONVERTERS = [
  DEFAULT_CONVERTER,
  DECOMPRESSING_CONVERTER,
  CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CLAIM_CHECK_CONVERTER,
  AVRO_CONVERTER,
  PROTOBUF_CONVERTER,
  JSON_SCHEMA_CONVERTER,
] as const

const COMPRESSION = {
  kind: 'oneOf',
  values: ['AUTO', 'GZIP', 'DEFLATE', 'ZLIB', 'ZSTD', 'NONE'],
  ignoreCase: true,
} as const
const FORMATS = ['AUTO', 'GZIP', 'DEFLATE', 'ZLIB', 'ZSTD', 'NONE']

const delegate = (group: string) =>
  ({
    type: 'string',
    default: DEFAULT_CONVERTER,
    importance: 'medium',
    group,
    displayName: 'Delegate',
    doc: 'Class name of the message converter that gets the result.',
  }) as const

/** Keys for what becomes of the body. Without a comment they are the JVM connector's. */
export const conversionKeys = {
  'message.converter.class': {
    type: 'string',
    default: DEFAULT_CONVERTER,
    recommended: MESSAGE_CONVERTERS,
    importance: 'low',
    group: FORMAT,
    displayName: 'Message converter',
    doc: `What becomes of the body of a message, by the class names of the JVM connector: ${MESSAGE_CONVERTERS.map((name) => name.slice(PREFIX.length)).join(', ')}.`,
  },
  // Ours.
  'message.unwrap.envelopes': {
    type: 'list',
    default: [],
    validator: { kind: 'oneOf', values: ['sns', 'eventbridge'] },
    recommended: ['sns', 'eventbridge'],
    importance: 'medium',
    group: FORMAT,
    displayName: 'Envelopes',
    doc: 'Envelopes to take off, wherever they are met from the outside in, also around what a claim check brought. sns: the text of Message. eventbridge: the value of detail. A body without such an envelope stays as it is.',
    example: 'eventbridge,sns',
  },
  'message.unwrap.depth.max': {
    type: 'int',
    default: 8,
    validator: { kind: 'range', min: 1, max: 64 },
    importance: 'low',
    group: FORMAT,
    displayName: 'Most envelopes',
    stripComment: true,
    doc: 'Most envelopes within each other, around a claim check and in its object together. A message with more is a bad message.',
  },
  'message.decompression.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: DECOMPRESSION,
    displayName: 'Decompress',
    stripComment: true,
    doc: 'True: bodies are decompressed also if message.converter.class names no converter that does so. False changes nothing: the class decides.',
  },
  'message.decompression.delegate.converter.class': delegate(DECOMPRESSION),
  'message.decompression.field.path': {
    type: 'string',
    default: null,
    importance: 'low',
    group: DECOMPRESSION,
    displayName: 'Field',
    stripComment: true,
    doc: 'Dotted path of the field with the compressed text in a JSON body. Unset: the whole body.',
    example: 'detail.data',
  },
  'message.decompression.format': {
    type: 'string',
    default: 'AUTO',
    validator: COMPRESSION,
    recommended: FORMATS,
    importance: 'low',
    group: DECOMPRESSION,
    displayName: 'Format',
    stripComment: true,
    doc: 'Format of the compressed data. AUTO: by its first bytes; data of none of the formats stays as it is. With a format named, other data is a bad message.',
  },
  'message.decompression.base64.decode': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: DECOMPRESSION,
    displayName: 'Base64',
    stripComment: true,
    doc: 'Whether text in Base64, also the URL-safe one and with line breaks, is decoded first.',
  },
  // Ours.
  'message.decompression.max.bytes': {
    type: 'int',
    default: 16 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: DECOMPRESSION,
    displayName: 'Largest result',
    stripComment: true,
    doc: 'Most bytes that compressed data may become. A message with more is a bad message.',
  },
  'message.claimcheck.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: CLAIM_CHECK,
    displayName: 'Claim check',
    stripComment: true,
    doc: 'True: claim checks are redeemed also if message.converter.class names no converter that does so. False changes nothing: the class decides.',
  },
  'message.claimcheck.delegate.converter.class': delegate(CLAIM_CHECK),
  'message.claimcheck.field.path': {
    type: 'string',
    default: null,
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Field',
    stripComment: true,
    doc: 'Dotted path of the field with the address s3://bucket/key in a JSON body, or several such paths with commas between them. Unset: the whole body.',
    example: 'detail.s3Key',
  },
  'message.claimcheck.decompress.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Decompress the object',
    stripComment: true,
    doc: 'Whether the content of the object is decompressed.',
  },
  'message.claimcheck.compression.format': {
    type: 'string',
    default: 'AUTO',
    validator: COMPRESSION,
    recommended: FORMATS,
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Format of the object',
    stripComment: true,
    doc: 'Format of the compressed object, with message.claimcheck.decompress.enabled; as message.decompression.format.',
  },
  'message.claimcheck.base64.decode': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Base64 of the object',
    stripComment: true,
    doc: 'Whether an object in Base64 is decoded before it is decompressed, with message.claimcheck.decompress.enabled.',
  },
  // Ours.
  'message.claimcheck.max.bytes': {
    type: 'int',
    default: 16 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Largest object',
    stripComment: true,
    doc: 'Largest object to read from S3, in bytes. A message with a larger one is a bad message. The broker must take records of this size.',
  },
  'message.claimcheck.parallel.max': {
    type: 'int',
    default: 8,
    validator: { kind: 'range', min: 1, max: 64 },
    importance: 'low',
    group: CLAIM_CHECK,
    displayName: 'Objects at a time',
    stripComment: true,
    doc: 'Most objects that a task reads from S3 at a time.',
  },
  'message.output.field.extract': {
    type: 'string',
    default: null,
    importance: 'low',
    group: EXTRACTION,
    displayName: 'Field',
    stripComment: true,
    doc: 'Dotted path of the field of the converted JSON that becomes the value of the record: text as it is, anything else as compact JSON. Unset or blank: the whole.',
    example: 'detail.data',
  },
  'message.output.field.extract.failOnMissing': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: EXTRACTION,
    displayName: 'Fail if missing',
    stripComment: true,
    doc: 'Whether a message without the field is a bad message. False: the whole becomes the value.',
  },
} as const satisfies Keys
