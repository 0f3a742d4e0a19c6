import { ConfigError, DataError, defineErrors } from '@tributary/connect-api'

/** Errors of converters. */
export const converterErrors = defineErrors({
  CONVERTER_BAD_JSON: {
    type: DataError,
    doc: 'A value that is to be read as JSON is not JSON, or lacks the envelope with `schema` and `payload`. See `schemas.enable`.',
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
