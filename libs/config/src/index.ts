export * from './spec/spec.ts'
export {
  type ConfigOf,
  type ConfigSpec,
  type DefineOptions,
  defineConfig,
  mergeSpecs,
  parseConfig,
} from './spec/define.ts'
export { checkName, checkTopicName } from './spec/check-value.ts'
export { CAST_TYPES, type CastType, type FieldCast, parseCastSpec, parseRenames } from './spec/field-lists.ts'
export { internalTopic, internalTopicOfConnect } from './spec/internal-topics.ts'
export { type ConfigValue, validateConfig, type ValidateOptions } from './spec/validate.ts'
export { type Embedding, embedSpec } from './spec/embed.ts'
export { familyOf } from './spec/prefixes.ts'
export { type ConfigDefinition, describeConfig } from './spec/describe.ts'
export { toMarkdown } from './spec/markdown.ts'
export { ConfigException, type ConfigProblem, connectFrame, invalidValue } from './values/config-exception.ts'
export { compilePattern, type Found, type Pattern, PatternError, type PatternOptions } from './patterns/pattern.ts'
export { canonicalJson, parseJson, type ParseJsonOptions, stringifyJson } from './values/json.ts'
export { KeyValueListError, parseKeyValueList } from './values/key-value-list.ts'
export { type ConfigType, javaTrim } from './values/parse-value.ts'
export { hasReferences } from './values/references.ts'
export { HIDDEN, isSensitive, Secret, type SecretLike } from './values/secret.ts'
export { parseProperties } from './providers/properties.ts'
export { type ConfigProviders, type Env, type Resolved, resolveReferences } from './providers/providers.ts'
export { readRegularFile, type ReadFileLimits } from './providers/read-file.ts'
export { secretsOf } from './providers/secrets-of.ts'
export { envName, fromEnv, type WorkerProperties } from './service/env.ts'
export { readWorkerProperties, unknownProperties } from './service/worker-properties.ts'
export { providerSettings, providersFrom } from './service/provider-settings.ts'
export {
  type HostPort,
  type KafkaConnection,
  kafkaConnection,
  kafkaRules,
  kafkaSettings,
  parseHostPort,
} from './service/kafka-settings.ts'
export { packConnection, unpackConnection } from './service/packed-connection.ts'
