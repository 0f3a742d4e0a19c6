import { ConfigException, redactor, resolveReferences, secretsOf, validateConfig } from '@tributary/config'
import {
  type ConfigError,
  errorKind,
  type FieldError,
  type OffsetEntry,
  type Props,
  SOURCE_CONNECTOR_KEYS,
  type SourcePlugin,
} from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { guaranteeErrors } from '../model/guarantees.ts'
import { type PluginScope, runInScope } from '../isolation/plugin-scope.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'

const VALIDATE_TIMEOUT_MS = 20_000

/**
 * What only a worker can say of a configuration: what its `${…}` references stand for, whether the classes that it names
 * are here, what the plugin's own code and network say. `exactlyOnceSource`: the worker's exactly.once.source.support is enabled.
 */
export function validateConnector(
  plugin: SourcePlugin,
  config: Props,
  exactlyOnceSource: boolean,
): Promise<FieldError[]> {
  const { connector } = plugin
  return judge(plugin, config, 'connector.class', async (props) => {
    const keys = { ...SOURCE_CONNECTOR_KEYS, ...connector.spec.keys }
    const { values } = validateConfig({ ...connector.spec, keys }, props)
    const declared = values.flatMap(({ name, errors }) => errors.map((message) => ({ field: name, message })))
    if (declared.length > 0) return declared
    createConverter('key.converter', props, true)
    createConverter('value.converter', props, false)
    createHeaderConverter('header.converter', props)
    const refused = guaranteeErrors(plugin, props, exactlyOnceSource)
    if (refused.length > 0) return refused
    sourceTaskConfig(props)
    return (await connector.validate?.(props, AbortSignal.timeout(VALIDATE_TIMEOUT_MS))) ?? []
  })
}

/** Whether a connector of this configuration could go on from these offsets (KIP-875); a connector that cannot say takes all. */
export function checkOffsets(
  plugin: SourcePlugin,
  config: Props,
  offsets: readonly OffsetEntry[],
): Promise<FieldError[]> {
  return judge(plugin, config, '', (props) => {
    plugin.connector.checkOffsets?.(props, offsets)
    return Promise.resolve([])
  })
}

/** Judges a configuration with its references resolved. A config error that is thrown counts too, on `otherwise` without a field. */
async function judge(
  plugin: SourcePlugin,
  config: Props,
  otherwise: string,
  judgement: (props: Props) => Promise<FieldError[]>,
): Promise<FieldError[]> {
  let redact = (text: string): string => text
  try {
    const { props, secrets } = resolveReferences(config, process.env)
    redact = redactor([...secrets, ...secretsOf(plugin.connector.spec, props)])
    const errors = await runInScope(scopeOfCheck(plugin), () => judgement(props))
    return errors.map(({ field, message }) => ({ field, message: redact(message) }))
  } catch (error) {
    return fieldErrors(error, otherwise).map(({ field, message }) => ({ field, message: redact(message) }))
  }
}

function fieldErrors(error: unknown, otherwise: string): FieldError[] {
  if (error instanceof ConfigException) return error.errors.map(({ name, message }) => ({ field: name, message }))
  if (errorKind(error) !== 'config') throw error
  const { field, message } = error as ConfigError
  return [{ field: field ?? otherwise, message }]
}

/** Nothing fails when its code throws where nobody catches, as nothing runs yet; the process has logged it. */
function scopeOfCheck(plugin: SourcePlugin): PluginScope {
  return { name: `a check by ${plugin.class}`, unit: () => null, fail: () => {} }
}
