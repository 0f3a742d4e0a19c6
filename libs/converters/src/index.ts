export {
  DEFAULT_CONVERTER,
  DEFAULT_HEADER_CONVERTER,
  CONVERTER_PLUGINS,
  createConverter,
  createHeaderConverter,
} from './registry.ts'
export type { ConverterPlugin } from './plugin.ts'
export { SimpleHeaderConverter } from './headers/simple-header-converter.ts'
export { JsonConverter } from './json/json-converter.ts'
export { ByteArrayConverter } from './simple/byte-array-converter.ts'
export { PlainConverter } from './simple/plain-converter.ts'
export { StringConverter } from './simple/string-converter.ts'
