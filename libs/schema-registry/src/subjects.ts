import { schemaRegistryErrors } from './errors.ts'

/** The name of the subject; `record` is the full name of the record, null if the schema has none. */
type SubjectStrategy = (topic: string, isKey: boolean, record: string | null) => string

const STRATEGIES: Readonly<Record<string, SubjectStrategy>> = {
  TopicNameStrategy: (topic, isKey) => `${topic}-${isKey ? 'key' : 'value'}`,
  RecordNameStrategy: (_topic, _isKey, record) => named(record, 'RecordNameStrategy'),
  TopicRecordNameStrategy: (topic, _isKey, record) => `${topic}-${named(record, 'TopicRecordNameStrategy')}`,
}

const PACKAGE = 'io.confluent.kafka.serializers.subject.'

/** Class names and short names, for specs. */
export const SUBJECT_STRATEGIES: readonly string[] = Object.keys(STRATEGIES).flatMap((name) => [PACKAGE + name, name])

export const DEFAULT_STRATEGY = `${PACKAGE}TopicNameStrategy`

/** `name` is one of SUBJECT_STRATEGIES. The strategy throws DataError for a schema without a name. */
export function subjectStrategy(name: string): SubjectStrategy {
  return STRATEGIES[name.slice(name.lastIndexOf('.') + 1)]!
}

function named(record: string | null, strategy: string): string {
  if (record !== null && record !== '') return record
  throw schemaRegistryErrors.SCHEMA_SUBJECT(
    `${strategy} needs the name of the record's schema, and it has none: name it, by SetSchemaMetadata for instance, or use TopicNameStrategy`,
  )
}
