export { createRegistryClient, type LookUpOptions, type RegistryClient } from './client.ts'
export { schemaRegistryErrors } from './errors.ts'
export { frame, readIndexes, unframe } from './frame.ts'
export { CLIENT_KEYS, REGISTRY_KEYS, REGISTRY_PREFIXES } from './keys.ts'
export { Lru } from './lru.ts'
export { checkRegistrySettings, Registry, registrySettings, type RegistrySettings, sharedRegistry } from './registry.ts'
export {
  needFormat,
  type RegisteredSchema,
  type ResolvedSchema,
  type SchemaFormat,
  type SchemaReference,
  type SchemaText,
} from './schema.ts'
export { SchemaReader } from './schema-reader.ts'
export { type DescribedSchema, SchemaWriter, type WriterFormat } from './schema-writer.ts'
export { DEFAULT_STRATEGY, SUBJECT_STRATEGIES, subjectStrategy } from './subjects.ts'
