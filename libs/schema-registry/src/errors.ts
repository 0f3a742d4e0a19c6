import { ConfigError, DataError, defineErrors, RetriableError } from '@tributary/connect-api'

/** Errors of schema registries, and of records that name a schema. */
export const schemaRegistryErrors = defineErrors({
  SCHEMA_REGISTRY_UNAVAILABLE: {
    type: RetriableError,
    doc: 'No URL of `schema.registry.url` answered, or each answered that it cannot serve (408, 429, 5xx). The worker tries again, and no record is lost or becomes a dead letter. The message contains "Schema registry not available".',
  },
  SCHEMA_REGISTRY_REFUSED: {
    type: ConfigError,
    doc: 'The registry refuses these settings: a wrong login or token (401), missing rights (403), a URL that is no registry, or an untrusted certificate. Mend the settings of the converter, then restart the connector.',
  },
  SCHEMA_REGISTRY_CONFIG: {
    type: ConfigError,
    doc: 'A setting of the schema registry has a value that does not fit, or names a file that cannot be used. The message names the setting.',
  },
  SCHEMA_REFUSED: {
    type: DataError,
    doc: "The registry refuses the schema of a record: an incompatible change (409), or an invalid schema (422). The message contains the registry's words. Change the schema, or the compatibility level of the subject.",
  },
  SCHEMA_NOT_FOUND: {
    type: DataError,
    doc: 'The registry does not have the subject, version or id that a record needs. Register the schema, or set `auto.register.schemas=true`. The message contains "Failed to retrieve schema for id" for an id.',
  },
  SCHEMA_INCOMPATIBLE: {
    type: DataError,
    doc: 'A record does not fit the schema that `use.latest.version` or `use.schema.id` chooses. Change the record, or set `latest.compatibility.strict=false` or `id.compatibility.strict=false`.',
  },
  SCHEMA_FRAME: {
    type: DataError,
    doc: 'The bytes of a record do not begin with the magic byte 0 and the id of a schema, so no converter with a registry wrote them.',
  },
  SCHEMA_SUBJECT: {
    type: DataError,
    doc: 'The subject strategy needs the name of a record, and the schema has none: name the schema, or use TopicNameStrategy.',
  },
})
