import type { JsonSchema } from './resource.ts'
import { flag, listOf, mapOf, object, text, textOrNull, whole } from './schema-parts.ts'

const version = {
  version: { type: 'integer', description: 'From 1 on; a connector that is made anew goes on counting' },
  time: { type: 'string', description: 'ISO 8601, in UTC' },
  author: { type: ['string', 'null'], description: 'The identity that made the change; null: not known' },
  cause: { enum: ['create', 'update', 'patch', 'rollback', 'delete', 'found'] },
  request_id: { type: ['string', 'null'], description: 'As in the audit log' },
  changed: { ...listOf(text), description: 'Keys that differ from the version before; also secrets' },
  'rollback_to?': { type: 'integer', description: 'The version that a rollback brought back' },
}
const configOrNull: JsonSchema = {
  ...mapOf(text),
  type: ['object', 'null'],
  description: 'Secrets are [hidden]; null: the connector was deleted',
}
const end = {
  type: ['integer', 'string'],
  description: 'The number of a version, 0 for nothing, or "current"',
}
const change = object({ key: text, before: textOrNull, after: textOrNull })

/** Of the history of configurations, which is ours. */
export const HISTORY_SCHEMAS = {
  ConfigHistory: object({
    connector: text,
    versions: { ...listOf(object(version)), description: 'The newest first' },
    next: { type: ['integer', 'null'], description: 'The "before" that shows older versions; null: there are none' },
  }),
  ConfigVersion: object({
    connector: text,
    ...version,
    config: configOrNull,
    hidden: { ...listOf(text), description: 'Keys whose values are hidden' },
    'shortened?': { ...flag, description: 'The configuration was too large to be kept' },
  }),
  ConfigDiff: object({
    connector: text,
    from: end,
    to: end,
    added: listOf(object({ key: text, after: text })),
    removed: listOf(object({ key: text, before: text })),
    changed: { ...listOf(change), description: 'Of a secret both values are [hidden]' },
  }),
  Plan: object({
    connector: text,
    action: { enum: ['refuse', 'nothing', 'create', 'restart', 'hand-over', 'start', 'stop', 'store'] },
    reason: { type: 'string', description: 'Sentences' },
    version: { type: ['integer', 'null'], description: 'That it would become; null: it would make none' },
    changed: { ...listOf(change), description: 'Secrets are [hidden]' },
    tasks: listOf(
      object({ task: whole, action: { enum: ['nothing', 'start', 'stop', 'restart', 'hand-over'] }, why: text }),
    ),
    errors: listOf(object({ field: text, message: text })),
  }),
  Rollback: object({
    version: { ...whole, description: 'Of the history' },
    'config?': { ...mapOf(text), description: 'Secrets that the present configuration lacks' },
  }),
  RolledBack: object({
    connector: text,
    rollback_to: whole,
    version: { ...whole, description: 'That the connector has now; a rollback that changes nothing makes none' },
    changed: listOf(text),
    info: { $ref: '#/components/schemas/ConnectorInfo' },
  }),
} as const satisfies Record<string, JsonSchema>
