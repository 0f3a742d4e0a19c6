import { ConfigError, DataError, defineErrors, NotConnectedError } from '@tributary/connect-api'

/** Errors of converters. */
export const converterErrors = defineErrors({
  BODY_JSON: {
    type: DataError,
    doc: 'A body that `value.format=json` reads is no JSON, has a key twice in one object, or is nested too deeply. The record has an error and its original bytes.',
  },
  BODY_MISFIT: {
    type: DataError,
    doc: 'A body does not fit the schema that is given for it, or its inferred schema would go beyond a limit. The message names the field. The record has an error and its original bytes.',
  },
  BODY_REGISTRY_AWAY: {
    type: NotConnectedError,
    doc: 'The schema registry that has the schema for bodies (`value.schema.subject`) does not answer. The task connects again, and no message is lost.',
  },
  BODY_SCHEMA: {
    type: ConfigError,
    doc: 'The schema for bodies (`value.schema`, or the one in the registry) cannot be read, or the keys name more than one schema.',
  },
  CONVERTER_AVRO_BYTES: {
    type: DataError,
    doc: 'The bytes of a record do not fit the Avro schema whose id they carry: they are damaged, or their writer used another schema.',
  },
  CONVERTER_AVRO_SCHEMA: {
    type: DataError,
    doc: 'A schema cannot be translated between Connect and Avro: a name that Avro does not allow (see `scrub.invalid.names`), two types of one name, or no Avro schema at all.',
  },
  CONVERTER_BAD_JSON: {
    type: DataError,
    doc: 'A value that is to be read as JSON is not JSON, or lacks the envelope with `schema` and `payload`. See `schemas.enable`.',
  },
  CONVERTER_BAD_BYTES: {
    type: DataError,
    doc: 'The bytes of a record are not of the form that the number or boolean converter reads: 2, 4 or 8 bytes, or the byte 0 or 1.',
  },
  CONVERTER_BAD_SCHEMA: {
    type: DataError,
    doc: 'A schema from the registry cannot be read, or the schema of a record has no form in the language of the registry. The message says which part.',
  },
  CONVERTER_CLOUD_EVENT: {
    type: DataError,
    doc: 'A record that is to be read as a CloudEvent is none: it is no JSON object with `specversion`, `id`, `source` and `type`, or its headers lack them.',
  },
  CONVERTER_CONFIG_INVALID: {
    type: ConfigError,
    doc: 'A setting of a converter, such as `value.converter.schemas.enable`, has a value that does not fit.',
  },
  CONVERTER_JSON_SCHEMA: {
    type: DataError,
    doc: 'A record is no JSON of the form that its JSON Schema says, or a value does not fit its schema. The message says which.',
  },
  CONVERTER_PROTOBUF: {
    type: DataError,
    doc: 'A record is no message of its Protobuf schema, or a value does not fit its schema. The message says which field.',
  },
  CONVERTER_UNKNOWN: {
    type: ConfigError,
    doc: '`key.converter`, `value.converter` or `header.converter` names a class that does not exist here. The message lists those that do.',
  },
  CONVERTER_UNSUPPORTED_VALUE: {
    type: DataError,
    doc: 'The converter cannot write this value. Choose one that fits: StringConverter for text, ByteArrayConverter for bytes.',
  },
})
