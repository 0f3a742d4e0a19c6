import { resolveReferences, validateConfig } from '@tributary/config'
import {
  errorKind,
  type FieldError,
  type Props,
  SOURCE_CONNECTOR_KEYS,
  type SourcePlugin,
} from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { sourceTaskConfig } from './source-task-config.ts'

const VALIDATE_TIMEOUT_MS = 20_000

/**
 * What only a worker can say of a configuration: what its `${…}` references stand for, whether the classes that it names
 * are here, what the plugin's own code and network say.
 */
export async function validateConnector(plugin: SourcePlugin, config: Props): Promise<FieldError[]> {
  const { connector } = plugin
  try {
    const { props } = resolveReferences(config, process.env)
    const keys = { ...SOURCE_CONNECTOR_KEYS, ...connector.spec.keys }
    const { values } = validateConfig({ ...connector.spec, keys }, props)
    const declared = values.flatMap(({ name, errors }) => errors.map((message) => ({ field: name, message })))
    if (declared.length > 0) return declared
    createConverter('key.converter', props, true)
    createConverter('value.converter', props, false)
    createHeaderConverter('header.converter', props)
    const refused = guaranteeErrors(plugin, props)
    if (refused.length > 0) return refused
    sourceTaskConfig(props)
    return (await connector.validate?.(props, AbortSignal.timeout(VALIDATE_TIMEOUT_MS))) ?? []
  } catch (error) {
    const field = (error as { field?: string }).field
    if (errorKind(error) !== 'config' || field === undefined) throw error
    return [{ field, message: (error as Error).message }]
  }
}

/** Guarantees that are asked for and that the connector cannot give; the texts are Kafka Connect's (KIP-618). */
function guaranteeErrors({ connector }: SourcePlugin, props: Props): FieldError[] {
  const errors: FieldError[] = []
  if (props['exactly.once.support']?.toLowerCase() === 'required' && !(connector.exactlyOnce?.(props) ?? false)) {
    const message = 'The connector does not support exactly-once semantics with the provided configuration.'
    errors.push({ field: 'exactly.once.support', message })
  }
  if (props['transaction.boundary']?.toLowerCase() === 'connector') {
    const message =
      'The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.'
    errors.push({ field: 'transaction.boundary', message })
  }
  return errors
}
