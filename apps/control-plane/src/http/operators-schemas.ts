import type { JsonSchema } from './resource.ts'
import { listOf, mapOf, object, text, textOrNull, whole } from './schema-parts.ts'

/** The schemas of answers that only the operators' port gives. */

const status: JsonSchema = { enum: ['healthy', 'degraded', 'unhealthy'] }
const iso: JsonSchema = { type: 'string', description: 'ISO 8601, in UTC' }
const ofComponent = object({
  status,
  response_time_ms: { type: ['number', 'null'], description: 'Of the look at it; null: it failed' },
  check_time: iso,
  last_successful_check: textOrNull,
  'error?': { type: 'string', description: 'Why it is not healthy' },
})
/** A part has fields of its own, such as broker_count. */
const component: JsonSchema = { ...ofComponent, additionalProperties: true }

export const OPERATORS_SCHEMAS = {
  ComponentHealth: component,
  InstallationHealth: object({
    status,
    timestamp: iso,
    check_time: iso,
    version: text,
    uptime_seconds: whole,
    components: mapOf(component),
  }),
  UnknownComponent: object({
    ...{ status: { const: 'error' }, error: text, error_code: whole, message: text },
    ...{ available_components: listOf(text), timestamp: iso, request_id: text },
  }),
} satisfies Record<string, JsonSchema>
