export { BodyReader, bodyReader } from './body-reader.ts'
export { legalName } from './infer.ts'
export { BODY_KEYS, BODY_RULES, type BodySettings } from './keys.ts'
export { BODY_REGISTRY_KEYS, registryProps } from './registered-schema.ts'
