import { abortable } from '@tributary/async'
import { ConfigException, type ConfigProviders, resolveReferences, secretsOf, validateConfig } from '@tributary/config'
import {
  type ConfigError,
  errorKind,
  type FieldError,
  LENIENT_CONNECTOR_KEYS,
  type OffsetEntry,
  type Props,
  SOURCE_CONNECTOR_KEYS,
  type SourcePlugin,
} from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { hideSecrets, redact } from '@tributary/telemetry'
import { closeChain } from '@tributary/transforms'
import { guaranteeErrors } from '../model/guarantees.ts'
import { type PluginScope, runInScope } from '../isolation/plugin-scope.ts'
import { producerSettings } from '../model/producer-settings.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { createTransformations, type OwnTransforms, transformSecrets } from '../model/transformations.ts'

const VALIDATE_TIMEOUT_MS = 20_000

const SLOW = `The worker could not check the configuration within ${VALIDATE_TIMEOUT_MS / 1000} s: a server or a file that it names is too slow.`

export interface CheckEnvironment {
  /** The worker's exactly.once.source.support is enabled. */
  readonly exactlyOnceSource: boolean
  readonly providers: ConfigProviders
  /** Transforms and predicates of the service's own. Absent: none. */
  readonly transforms?: OwnTransforms
}

/**
 * Runs the checks of a configuration that need a worker: its `${…}` references, the classes that it names, and the plugin's
 * own code and network. Throws the plugin's errors that are not config errors, and the reason of `gone`: the caller no longer waits.
 */
export function validateConnector(
  plugin: SourcePlugin,
  config: Props,
  { exactlyOnceSource, providers, transforms }: CheckEnvironment,
  gone?: AbortSignal,
): Promise<FieldError[]> {
  const { connector } = plugin
  const signal = untilOver(gone)
  return judge(plugin, config, { otherwise: 'connector.class', providers, transforms, signal }, async (props) => {
    const keys = { ...SOURCE_CONNECTOR_KEYS, ...LENIENT_CONNECTOR_KEYS, ...connector.spec.keys }
    const { values } = validateConfig({ ...connector.spec, keys }, props)
    const declared = values.flatMap(({ name, errors }) => errors.map((message) => ({ field: name, message })))
    if (declared.length > 0) return declared
    createConverter('key.converter', props, true)
    createConverter('value.converter', props, false)
    createHeaderConverter('header.converter', props)
    closeChain(createTransformations(props, transforms))
    const refused = [
      ...producerSettings(props, plugin.producerKeys).errors,
      ...guaranteeErrors(plugin, props, exactlyOnceSource),
    ]
    if (refused.length > 0) return refused
    sourceTaskConfig(props)
    return (await connector.validate?.(props, signal)) ?? []
  })
}

/** Checks whether the connector could resume from these offsets (KIP-875). A connector without `checkOffsets` accepts all. */
export function checkOffsets(
  plugin: SourcePlugin,
  config: Props,
  offsets: readonly OffsetEntry[],
  providers: ConfigProviders,
  gone?: AbortSignal,
): Promise<FieldError[]> {
  const signal = untilOver(gone)
  return judge(plugin, config, { otherwise: '', providers, signal }, (props) => {
    plugin.connector.checkOffsets?.(props, offsets, config)
    return Promise.resolve([])
  })
}

export function untilOver(gone?: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(VALIDATE_TIMEOUT_MS), ...(gone ? [gone] : [])])
}

interface Judging {
  /** The field of a config error that has none. */
  readonly otherwise: string
  readonly providers: ConfigProviders
  readonly transforms?: OwnTransforms | undefined
  readonly signal: AbortSignal
}

/** Runs `judgement` with references resolved. Returns a thrown config error too. */
export async function judge(
  plugin: SourcePlugin,
  config: Props,
  { otherwise, providers, transforms, signal }: Judging,
  judgement: (props: Props) => Promise<FieldError[]>,
): Promise<FieldError[]> {
  let endRedaction = (): void => {}
  try {
    const { props, secrets } = await resolveReferences(config, providers, signal)
    const declared = [...secretsOf(plugin.connector.spec, props), ...transformSecrets(props, transforms)]
    endRedaction = hideSecrets([...secrets, ...declared])
    const errors = await abortable(
      runInScope(scopeOfCheck(plugin), () => judgement(props)),
      signal,
    )
    return errors.map(({ field, message }) => ({ field, message: redact(message) }))
  } catch (error) {
    // The next worker would not be faster.
    if (error === signal.reason && (error as Error).name === 'TimeoutError')
      return [{ field: otherwise, message: SLOW }]
    return fieldErrors(error, otherwise).map(({ field, message }) => ({ field, message: redact(message) }))
  } finally {
    endRedaction()
  }
}

function fieldErrors(error: unknown, otherwise: string): FieldError[] {
  if (error instanceof ConfigException) return error.errors.map(({ name, message }) => ({ field: name, message }))
  if (errorKind(error) !== 'config') throw error
  const { field, message } = error as ConfigError
  return [{ field: field ?? otherwise, message }]
}

/** The scope of a check. An unhandled error in the scope fails nothing, because no unit runs; the process has logged it. */
function scopeOfCheck(plugin: SourcePlugin): PluginScope {
  return { name: `a check by ${plugin.class}`, unit: () => null, fail: () => {} }
}
