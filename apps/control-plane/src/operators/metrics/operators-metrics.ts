import { metricText, type Observation, prometheusText } from '@tributary/telemetry'
import type { ReplayCounts } from '../../dead-letters/replay-counts.ts'
import type { ConnectorViews } from '../../services/connector-views.ts'
import { stateOf } from '../health/installation.ts'
import type { LetterCount, LetterCounts } from './letter-counts.ts'
import type { TaskFailures } from './task-failures.ts'

/** Series of one metric; the smallest ones beyond are summed up under the label value `other`. */
const MAX_SERIES = 1000
/** The answer comes within 2 s. */
const LETTERS_MS = 1500
const OTHER = 'other'

export interface OperatorsMetricsParts {
  readonly views: ConnectorViews
  readonly failures: TaskFailures
  /** null while the service of dead letters is off. */
  readonly letters: LetterCounts | null
  readonly replays: Pick<ReplayCounts, 'success' | 'failed'> | null
}

/** The text of `GET /metrics`: what this process measures of itself, and what it knows of the installation. */
export class OperatorsMetrics {
  readonly #parts: OperatorsMetricsParts

  constructor(parts: OperatorsMetricsParts) {
    this.#parts = parts
  }

  async text(): Promise<string> {
    const { letters, replays } = this.#parts
    const counts = (await letters?.read(AbortSignal.timeout(LETTERS_MS)).catch(() => null)) ?? null
    return [
      prometheusText(),
      ...this.#connectors(),
      counts === null ? '' : letterMetric(counts),
      ...(replays === null ? [] : replayMetrics(replays)),
    ].join('')
  }

  #connectors(): string[] {
    const { views, failures } = this.#parts
    const names = views.names()
    failures.keep(names)
    const states = names.slice(0, MAX_SERIES).map((connector) => ({ connector, state: stateOf(views, connector) }))
    const series = (of: (one: { connector: string; state: string }) => number): Observation[] =>
      states.map((one) => ({ value: of(one), attributes: { connector: one.connector } }))
    return [
      metricText(
        'kafka_connect_connector_state',
        '1 while the connector and all its tasks run, 0 otherwise.',
        'gauge',
        series(({ state }) => Number(state === 'RUNNING')),
      ),
      metricText(
        'kafka_connect_connector_halted',
        '1 while the connector is PAUSED or STOPPED because somebody wants it so.',
        'gauge',
        series(({ state }) => Number(state === 'PAUSED' || state === 'STOPPED')),
      ),
      metricText(
        'kafka_connect_task_failures_total',
        'Times that a task of the connector became FAILED since this replica started.',
        'counter',
        series(({ connector }) => failures.of(connector)),
      ),
    ]
  }
}

function letterMetric(counts: readonly LetterCount[]): string {
  const sorted = counts.toSorted((a, b) => b.count - a.count)
  const series = sorted.slice(0, MAX_SERIES).map(({ table, errorType, count }) => {
    return { value: count, attributes: { table, error_type: errorType } }
  })
  for (const [errorType, rest] of Map.groupBy(sorted.slice(MAX_SERIES), (count) => count.errorType)) {
    const value = rest.reduce((sum, { count }) => sum + count, 0)
    series.push({ value, attributes: { table: OTHER, error_type: errorType } })
  }
  const help = 'Dead letters, with those that were in Kafka when this replica started.'
  return metricText('cdc_dlq_events_total', help, 'counter', series)
}

function replayMetrics({ success, failed }: Pick<ReplayCounts, 'success' | 'failed'>): string[] {
  const series = (counts: ReadonlyMap<string, number>): Observation[] =>
    [...counts].map(([table, value]) => ({ value, attributes: { table } }))
  const since = 'by replays that this replica has led since its start.'
  return [
    metricText('cdc_dlq_replay_success_total', `Dead letters written ${since}`, 'counter', series(success)),
    metricText('cdc_dlq_replay_failed_total', `Dead letters that failed again ${since}`, 'counter', series(failed)),
  ]
}
