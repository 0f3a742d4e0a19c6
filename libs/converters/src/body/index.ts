export { type BodyOptions, BodyReader, bodyReader } from './body-reader.ts'
export { BODY_KEYS, BODY_RULES, type BodySettings } from './keys.ts'
export { legalName } from './legal-names.ts'
export { BODY_REGISTRY_KEYS, registeredSchema, registryError, registryProps, type Wanted } from './registered-schema.ts'
