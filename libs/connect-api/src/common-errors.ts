import { ConfigException } from '@tributary/config'
import { ConfigError, DataError, defineErrors, FatalError } from './errors.ts'
import type { Props } from './source.ts'

/** Errors that any connector may throw. */
export const commonErrors = defineErrors({
  ADDRESS_DENIED: {
    type: ConfigError,
    doc: 'A connector names a server in a network that `connect.deny.networks` of the worker denies. The message names the address and the entry.',
  },
  CONFIG_INVALID: {
    type: ConfigError,
    doc: 'A setting has a value that does not fit. The message names the setting and the value.',
  },
  TASK_NOT_STARTED: {
    type: FatalError,
    doc: 'A task was used before its start or after its stop. This is a bug of the runtime or of the connector.',
  },
  VALUE_INVALID: {
    type: DataError,
    doc: "A value does not fit its schema. The message is that of Kafka Connect's own DataException.",
  },
})

/**
 * Parses a connector's settings with its spec. Throws ConfigError with everything that is wrong with them.
 *
 *     const config = parseConfig(sseSpec, context.config)
 */
export function parseConfig<C>(spec: { parse(props: Props): C }, props: Props): C {
  try {
    return spec.parse(props)
  } catch (error) {
    if (!(error instanceof ConfigException)) throw error
    throw commonErrors.CONFIG_INVALID(error.message, { cause: error })
  }
}
