import { type FieldError, type Props, requiresExactlyOnce, type SourcePlugin } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

const EXACTLY_ONCE_DISABLED = 'This worker does not have exactly-once source support enabled.'
const EXACTLY_ONCE_UNSUPPORTED =
  'The connector does not support exactly-once semantics with the provided configuration.'
const BOUNDARIES_UNSUPPORTED =
  'The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.'

/**
 * Returns an error for each guarantee that a configuration asks for and that the connector or the worker cannot give. The texts are
 * Kafka Connect's (KIP-618). `exactlyOnceSource`: whether the worker's exactly.once.source.support is enabled.
 */
export function guaranteeErrors({ connector }: SourcePlugin, props: Props, exactlyOnceSource: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (requiresExactlyOnce(props)) {
    const field = 'exactly.once.support'
    if (!exactlyOnceSource) errors.push({ field, message: EXACTLY_ONCE_DISABLED })
    if (!(connector.exactlyOnce?.(props) ?? false)) errors.push({ field, message: EXACTLY_ONCE_UNSUPPORTED })
  }
  const connectorBoundary = props['transaction.boundary']?.trim().toLowerCase() === 'connector'
  if (connectorBoundary && !(connector.canDefineTransactionBoundaries?.(props) ?? false)) {
    errors.push({ field: 'transaction.boundary', message: BOUNDARIES_UNSUPPORTED })
  }
  return errors
}

/** Checks the guarantees at the start of a task, since perhaps no worker validated the configuration before. Throws ConfigError. */
export function mustGuarantee(plugin: SourcePlugin, props: Props, exactlyOnceSource: boolean): void {
  const [error] = guaranteeErrors(plugin, props, exactlyOnceSource)
  if (error) throw runtimeErrors.GUARANTEE_REFUSED(`${error.field}: ${error.message}`, { field: error.field })
}
