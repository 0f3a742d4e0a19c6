import type { Keys, KeySpec } from '@tributary/config'
import { BODY_REGISTRY_KEYS } from '@tributary/converters/body'
import { SUBJECT_STRATEGIES } from '@tributary/schema-registry'

const group = 'Schema Registry'

/** The JVM connector's keys for its converters with a schema registry. Those that begin with `schema.registry.` are also for `value.schema.subject`. */
export const schemaRegistryKeys = {
  'schema.registry.url': {
    type: 'list',
    default: null,
    validator: { kind: 'url', schemes: ['http', 'https'] },
    importance: 'medium',
    group,
    displayName: 'URL',
    doc: 'URLs of one schema registry with the REST API of Confluent, with commas between them. Needed by AvroMessageConverter, ProtobufMessageConverter and JsonSchemaMessageConverter, and by value.schema.subject.',
  },
  'value.schema.id': {
    type: 'int',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Id of the value schema',
    stripComment: true,
    doc: 'Id of the schema of the values, for the three converters. Unset: the latest one (schema.use.latest.version), or one that follows from the bodies.',
  },
  'key.schema.id': {
    type: 'int',
    default: null,
    importance: 'low',
    group,
    displayName: 'Id of the key schema',
    stripComment: true,
    doc: 'Id of the schema of the keys. Keys are text, so it has no effect.',
  },
  'schema.registry.basic.auth.credentials.source': {
    type: 'string',
    default: 'USER_INFO',
    importance: 'low',
    group,
    displayName: 'Source of the login',
    doc: 'Where the login to the registry comes from: USER_INFO (schema.registry.basic.auth.user.info), or URL.',
  },
  'schema.registry.basic.auth.user.info': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    displayName: 'Login',
    doc: 'Login to the registry as user:password.',
  },
  'schema.registry.ssl.truststore.location': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Trust store',
    doc: 'Path of a PEM file with the certificates to trust for the registry. Stores of Java are refused: keytool and openssl turn one into PEM.',
  },
  'schema.registry.ssl.truststore.password': {
    type: 'password',
    default: null,
    importance: 'low',
    group,
    displayName: 'Password of the trust store',
    doc: 'Password of the trust store. PEM needs none.',
  },
  'schema.auto.register': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Register schemas',
    stripComment: true,
    doc: 'Whether an inferred schema is registered. False: the subject must have it.',
  },
  'schema.use.latest.version': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    displayName: 'Latest version',
    stripComment: true,
    doc: 'Whether the latest schema of the subject is used. The task asks for it each minute.',
  },
  'schema.subject.name.strategy': {
    type: 'string',
    default: 'io.confluent.kafka.serializers.subject.TopicNameStrategy',
    validator: { kind: 'oneOf', values: SUBJECT_STRATEGIES },
    importance: 'low',
    group,
    displayName: 'Subject names',
    doc: 'Class name of the strategy that names the subject: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy.',
  },
} as const satisfies Keys

/** Further keys of the registry's client, which the JVM connector does not have. */
export const moreRegistryKeys: typeof BODY_REGISTRY_KEYS = Object.fromEntries(
  Object.entries<KeySpec>(BODY_REGISTRY_KEYS).filter(([key]) => !Object.hasOwn(schemaRegistryKeys, key)),
)
