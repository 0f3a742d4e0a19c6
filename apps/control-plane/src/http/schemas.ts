import { HISTORY_SCHEMAS } from './history-schemas.ts'
import { DLQ_SCHEMAS } from './dlq-schemas.ts'
import { OPERATORS_SCHEMAS } from './operators-schemas.ts'
import type { JsonSchema, OperationSchema } from './resource.ts'
import { flag, listOf, mapOf, number, object, text, textOrNull, time, whole } from './schema-parts.ts'

/** The schemas of answers and bodies, by their names in `/openapi.json`: first Kafka Connect's, then ours. */

export const ref = (name: SchemaName): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

const STATES = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'FAILED', 'DESTROYED', 'RESTARTING', 'STOPPED']
const state = { state: { enum: STATES }, worker_id: text, 'trace?': text }
const scalar: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] }
const flow = {
  connected: flag,
  connected_since: time('Since when the source is connected'),
  last_record_at: time('When the last record was acknowledged'),
  records_total: whole,
  rate: { type: 'number', description: 'Records a second' },
  lag: { type: 'integer', description: 'Messages received and not acknowledged by Kafka yet' },
  reconnects: whole,
  gaps: { type: 'integer', description: 'Times that the source is known to have sent what was not received' },
  reason: { type: 'string', description: 'One plain sentence' },
}

const configOrNull: JsonSchema = { ...mapOf(text), type: ['object', 'null'], description: 'Secrets are masked' }

const apiKey = {
  name: text,
  state: { enum: ['active', 'expired', 'revoked'] },
  grants: { ...listOf(text), description: 'role[+configs][+records][:pattern]; roles are viewer, operator and admin' },
  created: time('When it was made'),
  created_by: { type: 'string', description: 'The identity that made it' },
  expires: time('When it expires'),
  revoked: time('When it was revoked'),
}

const auditEntry = {
  time: { type: 'string', description: 'ISO 8601, in UTC' },
  id: { type: 'string', description: 'Of the request; its answer has it as x-request-id' },
  who: { type: 'string', description: 'Name of the caller; of a failed login the name that was claimed' },
  action: text,
  path: text,
  connector: textOrNull,
  'about?': { type: 'string', description: 'What else the request is about, such as an API key with its grants' },
  address: { type: 'string', description: "The client's address" },
  'forwarded_for?': { type: 'string', description: 'What X-Forwarded-For said, which anybody may set' },
  'via?': { type: 'string', description: 'The replica that sent the request on' },
  replica: { type: 'string', description: 'The replica that carried the request out' },
  status: whole,
  outcome: { enum: ['done', 'denied', 'failed'] },
  'error?': text,
  count: { type: 'integer', description: 'So many requests; the last one is shown' },
  changes: listOf(object({ connector: text, before: configOrNull, after: configOrNull })),
  'shortened?': flag,
}

const shownData = {
  schema: { type: ['object', 'null'], description: 'Of Connect; null: the value has none' },
  value: { description: 'Bytes are {"base64": …}, maps with a schema {"entries": [[key, value], …]}' },
  'truncated?': { type: 'boolean', description: 'Only a part is shown' },
  'redacted?': { type: 'boolean', description: 'A secret of the configuration stood in it' },
}
const shownBytes: JsonSchema = {
  ...object({
    'text?': { type: 'string', description: 'Of bytes that are UTF-8' },
    'base64?': { type: 'string', description: 'Of all others' },
    size: { type: 'integer', description: 'Of the whole, in bytes' },
    'truncated?': flag,
    'redacted?': flag,
  }),
  type: ['object', 'null'],
}
const shownPartition = { type: ['integer', 'null'], description: 'null: chance, or the key, decides later' }
const shownTimestamp = { type: ['integer', 'null'], description: 'In ms since the epoch; null: the time of producing' }
const shownRecord = object({
  topic: text,
  partition: shownPartition,
  key: object(shownData),
  value: object(shownData),
  headers: listOf(object({ name: text, ...shownData })),
  timestamp: shownTimestamp,
})
const shownOutput = object({
  topic: text,
  partition: shownPartition,
  key: shownBytes,
  value: shownBytes,
  headers: listOf(object({ name: text, value: shownBytes })),
  timestamp: shownTimestamp,
})

export const SCHEMAS = {
  Error: object({ error_code: whole, message: text }),
  OperatorsError: object({
    error: { type: 'string', description: 'Such as NOT_FOUND' },
    error_code: whole,
    message: text,
    'details?': {},
    timestamp: text,
    request_id: text,
  }),
  ServerInfo: object({ version: text, commit: text, kafka_cluster_id: text }),
  ServerHealth: object({ status: { enum: ['healthy', 'unhealthy'] }, message: text }),
  Config: { ...mapOf(text), description: 'Settings by name; values are strings' },
  SentConfig: {
    ...mapOf(scalar),
    description: 'Settings by name; numbers and booleans become their text. Null removes a setting with PATCH.',
  },
  CreateConnector: object({
    'name?': text,
    config: { $ref: '#/components/schemas/SentConfig' },
    'initial_state?': { type: 'string', description: 'RUNNING (default), PAUSED or STOPPED, in any case (KIP-980)' },
  }),
  TaskId: object({ connector: text, task: whole }),
  ConnectorInfo: object({
    name: text,
    config: { $ref: '#/components/schemas/Config' },
    tasks: listOf({ $ref: '#/components/schemas/TaskId' }),
    type: { enum: ['source', 'sink', 'unknown'] },
  }),
  ConnectorState: object(state),
  TaskState: object({ id: whole, ...state }),
  ConnectorStatus: object({
    name: text,
    connector: { $ref: '#/components/schemas/ConnectorState' },
    tasks: listOf({ $ref: '#/components/schemas/TaskState' }),
    type: { enum: ['source', 'sink', 'unknown'] },
  }),
  ConnectorNames: listOf(text),
  ExpandedConnectors: mapOf(
    object({
      'status?': { $ref: '#/components/schemas/ConnectorStatus' },
      'info?': { $ref: '#/components/schemas/ConnectorInfo' },
    }),
  ),
  Tasks: listOf(
    object({ id: { $ref: '#/components/schemas/TaskId' }, config: { $ref: '#/components/schemas/Config' } }),
  ),
  TasksConfig: mapOf({ $ref: '#/components/schemas/Config' }),
  Topics: { ...mapOf(object({ topics: listOf(text) })), description: 'By the name of the connector' },
  Offset: object({
    partition: { ...mapOf(scalar), description: 'What of the source: its fields depend on the connector' },
    offset: { ...mapOf(scalar), type: ['object', 'null'], description: 'How far; null removes it' },
  }),
  Offsets: object({ offsets: listOf({ $ref: '#/components/schemas/Offset' }) }),
  SentOffsets: object({
    offsets: listOf({
      type: 'object',
      properties: { partition: { type: ['object', 'null'] }, offset: { type: ['object', 'null'] } },
      additionalProperties: false,
    }),
  }),
  Message: object({ message: text }),
  Audit: object({ entries: listOf(object(auditEntry)), next: textOrNull }),
  Plugins: listOf(
    object({
      class: text,
      type: { enum: ['sink', 'source', 'converter', 'header_converter', 'transformation', 'predicate'] },
      version: text,
    }),
  ),
  ConfigDefinition: object({
    name: text,
    type: { enum: ['STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'BOOLEAN', 'LIST', 'CLASS', 'PASSWORD'] },
    required: flag,
    default_value: textOrNull,
    importance: { enum: ['HIGH', 'MEDIUM', 'LOW'] },
    documentation: text,
    group: textOrNull,
    order: whole,
    width: { enum: ['NONE', 'SHORT', 'MEDIUM', 'LONG'] },
    display_name: text,
    dependents: listOf(text),
  }),
  ConfigDefinitions: listOf({ $ref: '#/components/schemas/ConfigDefinition' }),
  ConfigInfos: object({
    name: text,
    error_count: whole,
    groups: listOf(text),
    configs: listOf(
      object({
        definition: { anyOf: [{ $ref: '#/components/schemas/ConfigDefinition' }, { type: 'null' }] },
        value: object({
          name: text,
          value: textOrNull,
          recommended_values: listOf(text),
          errors: listOf(text),
          visible: flag,
        }),
      }),
    ),
  }),
  LoggerLevel: object({ level: text, last_modified: time('When the level was set') }),
  LoggerLevels: mapOf({ $ref: '#/components/schemas/LoggerLevel' }),
  SentLevel: { type: 'object', properties: { level: textOrNull }, additionalProperties: scalar },
  LoggerNames: listOf(text),
  TaskHealth: {
    type: 'object',
    properties: { task: whole, ...flow, latency_ms: number, queue_size: whole },
    required: ['task', 'connected', 'reason'],
  },
  ConnectorHealth: object({
    name: text,
    state: { enum: STATES },
    ...flow,
    stalled: { type: 'boolean', description: 'It should deliver and does not' },
    tasks: listOf({ $ref: '#/components/schemas/TaskHealth' }),
  }),
  Cluster: object({
    name: text,
    kafka_cluster_id: text,
    version: text,
    connectors: whole,
    tasks: whole,
    control_planes: listOf(object({ address: text, leader: flag })),
    services: listOf(
      object({
        name: text,
        group: text,
        workers: listOf(text),
        plugins: listOf(object({ class: text, type: text, version: text })),
        connectors: whole,
        tasks: whole,
      }),
    ),
  }),
  ApiKeys: listOf(object(apiKey)),
  NewApiKey: object({ key: { type: 'string', description: 'The key, which is shown only now' }, ...apiKey }),
  CreateApiKey: object({
    name: { type: 'string', description: 'Letters, digits, ".", "_" and "-"' },
    grants: {
      type: ['string', 'array'],
      description: 'role[+configs][+records][:pattern], several separated by commas, or a list',
    },
    'expires?': { type: 'string', description: '12h, 90d, 8w, or a date; absent: never' },
  }),
  Preview: object({
    class: text,
    task: whole,
    tasks: { type: 'integer', description: 'Tasks that the configuration makes' },
    offsets: { enum: ['committed', 'none'], description: 'Where the source was read from' },
    ended: { enum: ['records', 'time', 'source', 'size'], description: 'Why no more records were taken' },
    reason: { type: 'string', description: 'The same in a sentence' },
    source: { type: ['string', 'null'], description: 'What the preview has changed in the source; null: nothing' },
    caution: { type: ['string', 'null'], description: 'What the source warns of, and what a record waited for' },
    notes: { ...listOf(text), description: 'What a real run would change elsewhere, such as to register a schema' },
    topics: listOf(
      object({
        name: text,
        exists: flag,
        partitions: { type: ['integer', 'null'], description: 'null: the default of Kafka' },
      }),
    ),
    records: listOf(
      object({
        outcome: { enum: ['written', 'filtered', 'dead_letter', 'skipped', 'fails_task'] },
        source: object({ partition: {}, offset: {} }),
        polled: shownRecord,
        transforms: listOf(
          object({
            alias: text,
            class: text,
            outcome: { enum: ['changed', 'unchanged', 'filtered', 'failed'] },
            'record?': shownRecord,
          }),
        ),
        'filtered_by?': text,
        'error?': object({ stage: text, class: text, message: text }),
        'written?': shownOutput,
        'dead_letter?': shownOutput,
      }),
    ),
  }),
  Changed: object({
    pattern: text,
    changed: { ...listOf(text), description: 'Connectors whose state was changed' },
    unchanged: { ...listOf(text), description: 'Connectors that were in that state already' },
    stopped: { ...listOf(text), description: 'STOPPED connectors, which are left as they are' },
  }),
  ...HISTORY_SCHEMAS,
  ...DLQ_SCHEMAS,
  ...OPERATORS_SCHEMAS,
} as const satisfies Record<string, JsonSchema>

export type SchemaName = keyof typeof SCHEMAS

/**
 * The answers of an operation by status: a schema, or null for an answer without a body. Errors are listed by status
 * only.
 */
export function answers(
  success: Readonly<Record<number, JsonSchema | null>>,
  errors: readonly number[] = [],
): OperationSchema['response'] {
  const none: JsonSchema = { type: 'null', description: 'No body' }
  return {
    ...Object.fromEntries(Object.entries(success).map(([status, schema]) => [status, schema ?? none])),
    ...Object.fromEntries([...errors, 500].map((status) => [status, ref('Error')])),
  }
}

/** Query parameters and their descriptions. */
export function query(parameters: Readonly<Record<string, string>>): NonNullable<OperationSchema['querystring']> {
  const properties = Object.entries(parameters).map(([name, description]) => [name, { type: 'string', description }])
  return { type: 'object', properties: Object.fromEntries(properties) as Record<string, JsonSchema> }
}
