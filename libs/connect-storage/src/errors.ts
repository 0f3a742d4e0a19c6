import { ConfigError, defineErrors, RetriableError } from '@tributary/connect-api'

/** Errors of the stores on the internal topics. */
export const storageErrors = defineErrors({
  AUDIT_TOPIC_POLICY: {
    type: ConfigError,
    doc: 'The audit topic is compacted, so its records would not stay. Set cleanup.policy=delete.',
  },
  AUDIT_UNWRITTEN: {
    type: RetriableError,
    doc: 'A change could not be written to the audit topic. The message says why. The log of the process has the entry, and the change is refused while this lasts, unless audit.required is false.',
  },
  CONFIG_TOPIC_PARTITIONS: {
    type: ConfigError,
    doc: 'The config topic has more than one partition, so its records have no order. Create it with one partition.',
  },
  INTERNAL_RECORD_REFUSED: {
    type: ConfigError,
    doc: 'A record was not written to an internal topic, because every process that reads the topic would skip it: a name, a number of tasks or a configuration is beyond the limits that the message names.',
  },
  INTERNAL_TOPIC_DELETED: {
    type: RetriableError,
    doc: 'An internal topic was deleted while the services ran. The processes that remember all of it make it again; nothing is written before. If it lasts, the message says what is in the way.',
  },
  INTERNAL_TOPIC_MISSING: {
    type: ConfigError,
    doc: 'A start found the topic of the configurations or of the offsets missing, while other internal topics hold records. The message names the topic, and the ways to go on.',
  },
})
