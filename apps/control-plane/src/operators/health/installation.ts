import type { ConnectorViews } from '../../services/connector-views.ts'
import type { ControlPlanes } from '../../services/cluster.ts'
import type { Workers } from '../../services/workers.ts'
import type { ComponentState, HealthComponent } from './component.ts'

/** Names that are listed in a field. */
const MAX_NAMES = 20
/** An election takes longer; a probe must not wait for it. */
const WRITABLE_MS = 2000
/** A list of a service's workers that is not older than this, in ms, is current enough. */
const WORKERS_FRESH_MS = 5000

/** What KafkaAdmin tells of a cluster. */
export interface KafkaReader {
  describeCluster(signal: AbortSignal): Promise<{ readonly brokers: readonly string[] }>
}

const always = (): boolean => true

/** `trouble`: why an internal topic cannot be written, in a sentence; null while all can be. */
export function kafkaHealth(kafka: KafkaReader, trouble: () => string | null): HealthComponent {
  return {
    name: 'kafka',
    inUse: always,
    check: async (signal) => {
      const { brokers } = await kafka.describeCluster(signal)
      const error = trouble()
      const fields = { broker_count: brokers.length, topics_healthy: error === null }
      return error === null ? { status: 'healthy', fields } : { status: 'degraded', error, fields }
    },
  }
}

/** Whether the replicas have a leader that can write. */
export function controlPlaneHealth(
  writable: (timeoutMs: number) => Promise<true | string>,
  controlPlanes: ControlPlanes | undefined,
): HealthComponent {
  return {
    name: 'control_plane',
    inUse: always,
    check: async () => {
      const [state, replicas] = await Promise.all([writable(WRITABLE_MS), controlPlanes?.replicas() ?? []])
      const leader = replicas.find((replica) => replica.leader)?.address ?? null
      const fields = { replicas: replicas.length, leader }
      return state === true ? { status: 'healthy', fields } : { status: 'unhealthy', error: state, fields }
    },
  }
}

/** Degraded while a connector, or one of its tasks, is FAILED. What somebody has paused or stopped is healthy. */
export function connectorsHealth(views: ConnectorViews): HealthComponent {
  return {
    name: 'connectors',
    inUse: always,
    check: async () => {
      const states: Record<string, number> = {}
      const failed: string[] = []
      for (const name of views.names()) {
        const state = stateOf(views, name)
        states[state] = (states[state] ?? 0) + 1
        if (state === 'FAILED') failed.push(name)
      }
      const fields = { total: views.names().length, states, failed: failed.slice(0, MAX_NAMES) }
      if (failed.length === 0) return { status: 'healthy', fields }
      const error = `${failed.length} of ${fields.total} connectors are FAILED, or have a task that is.`
      return { status: 'degraded', error, fields }
    },
  }
}

/** The connector's state: FAILED when a task has failed, UNASSIGNED before there is one. */
export function stateOf(views: ConnectorViews, name: string): string {
  const status = views.statusOrNull(name)
  if (status === null) return 'UNASSIGNED'
  return status.tasks.some(({ state }) => state === 'FAILED') ? 'FAILED' : status.connector.state
}

/** Whether each service that has connectors has a live worker. */
export function workersHealth(views: ConnectorViews, workers: Pick<Workers, 'of'>): HealthComponent {
  const wanted = (): string[] => [...new Set(views.names().flatMap((name) => views.plugin(name)?.service ?? []))].sort()
  return {
    name: 'workers',
    inUse: () => wanted().length > 0,
    check: async () => {
      const counts = await Promise.all(
        wanted().map(async (service) => [service, (await workers.of(service, WORKERS_FRESH_MS)).length] as const),
      )
      return ofWorkers(counts)
    },
  }
}

function ofWorkers(counts: readonly (readonly [service: string, workers: number])[]): ComponentState {
  const fields = { services: Object.fromEntries(counts) }
  const without = counts.filter(([, count]) => count === 0).map(([service]) => service)
  if (without.length === 0) return { status: 'healthy', fields }
  const error = `No worker of ${without.slice(0, MAX_NAMES).join(', ')} lives, and its connectors do not run.`
  return { status: without.length === counts.length ? 'unhealthy' : 'degraded', error, fields }
}

/** The part of the index of dead letters that tells its state. */
export interface LetterIndexState {
  readonly ready: boolean
  readonly indexed: number
  readonly behind: number
  readonly troubles: readonly string[]
}

/** Whether the API shows all dead letters. `state`: null while the service of dead letters is off. */
export function deadLettersHealth(state: () => LetterIndexState | null): HealthComponent {
  return {
    name: 'dlq',
    inUse: () => state() !== null,
    check: async () => {
      const { ready, indexed, behind, troubles } = state()!
      const fields = { ready, indexed, behind }
      const error = troubles[0] ?? (ready ? null : `The index is being built: ${behind} records are not in it yet.`)
      return error === null ? { status: 'healthy', fields } : { status: 'degraded', error, fields }
    },
  }
}
