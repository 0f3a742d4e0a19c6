import {
  ConnectError,
  type ConnectRecord,
  type PredicatePlugin,
  type TransformationPlugin,
} from '@tributary/connect-api'
import type { ConnectOracle, OracleError } from '@tributary/harness'
import { comparableRecord, decodeRecord, encodeRecord } from '../../support/connect-values.ts'
import type { Config } from './configs.ts'

export interface Trial {
  readonly plugin: TransformationPlugin | PredicatePlugin
  readonly config: Config
  readonly records: readonly ConnectRecord[]
}

/** What a class did: with its settings where `record` is undefined, else with the record. */
export interface Outcome {
  readonly error?: { readonly kind: string; readonly message: string; readonly class?: string }
  readonly result?: unknown
}

export interface Comparison {
  readonly trial: Trial
  readonly record: ConnectRecord | null
  readonly ours: Outcome
  readonly theirs: Outcome
}

/** Runs trials here and on the JVM. */
export async function compare(oracle: ConnectOracle, trials: readonly Trial[]): Promise<Comparison[]> {
  const answers = await oracle.ask(
    trials.map(({ plugin, config, records }) => ({
      op: plugin.type === 'predicate' ? 'predicate' : 'transform',
      class: plugin.class,
      config,
      records: records.map((record) => encodeRecord(record)),
    })),
  )
  return trials.flatMap((trial, i): Comparison[] => {
    const { error, results = [] } = answers[i]!
    const made = attempt(() => make(trial))
    if (error !== undefined || made.error !== undefined) {
      return [{ trial, record: null, ours: made, theirs: error === undefined ? { result: true } : failed(error) }]
    }
    const run = made.result as (record: ConnectRecord) => unknown
    return trial.records.map((record, j) => {
      const answer = results[j]!
      const theirs: Outcome =
        answer.error !== undefined
          ? failed(answer.error)
          : { result: answer.test ?? comparableRecord(decodeRecord(answer.record)) }
      return { trial, record, ours: attempt(() => run(record)), theirs }
    })
  })
}

function make({ plugin, config }: Trial): (record: ConnectRecord) => unknown {
  if (plugin.type === 'predicate') {
    const predicate = plugin.create(config)
    return (record) => predicate.test(record)
  }
  const transformation = plugin.create(config)
  return (record) => comparableRecord(transformation.apply(record))
}

function attempt(run: () => unknown): Outcome {
  try {
    return { result: run() }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { error: { kind: error.kind, message: error.message } }
  }
}

function failed({ class: name, message }: OracleError): Outcome {
  const kind = name === 'org.apache.kafka.common.config.ConfigException' ? 'config' : 'data'
  return { error: { kind, message: message ?? '', class: name } }
}
