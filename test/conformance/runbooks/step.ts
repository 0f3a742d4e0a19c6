import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import type { Flow, Pipeline } from './pipeline.ts'

export const SOURCE = 'cassandra-source-connector'
export const SINK = 'postgres-sink-connector'

export const FAILED = ['RUNNING', 'FAILED'] as const

/** One command of a runbook, and its promise. */
export interface RunbookStep {
  /** What happens before the command, or what stands for a command that the shell cannot run. */
  readonly given?: (pipeline: Pipeline) => Promise<void> | void
  /** The command exactly as in the runbook. */
  readonly command: string
  readonly promises: string
  readonly holds: (pipeline: Pipeline, output: string) => Promise<void> | void
}

export interface Procedure {
  readonly name: string
  readonly steps: readonly RunbookStep[]
}

export function flow(pipeline: Pipeline, name: string): Flow {
  const found = pipeline.flows.get(name)
  if (found === undefined) throw new Error(`no connector ${name}`)
  return found
}

/** The commands that are the same for every connector. */

export function restarted(connector: string, given?: RunbookStep['given']): RunbookStep {
  return {
    ...(given === undefined ? {} : { given }),
    command: `curl -X POST http://localhost:8083/connectors/${connector}/restart`,
    promises: 'it runs, its failed task too, and has lost nothing',
    holds: async (pipeline, output) => {
      assert.equal(output, '')
      await goesOn(connector)(pipeline)
    },
  }
}

export function taskRestarted(connector: string, given?: RunbookStep['given']): RunbookStep {
  const command = `curl -X POST http://localhost:8083/connectors/${connector}/tasks/0/restart`
  return { ...restarted(connector, given), command, promises: 'the task runs, and has lost nothing' }
}

export function paused(connector: string): RunbookStep {
  return {
    command: `curl -X PUT http://localhost:8083/connectors/${connector}/pause`,
    promises: 'no record is written any more',
    holds: async (pipeline) => {
      await pipeline.states(connector, ['PAUSED', 'PAUSED'])
      const { source, topic } = flow(pipeline, connector)
      // The batch that was on its way when PAUSED was shown still arrives, as in Kafka Connect.
      await until('nothing is written while the source goes on', async () => {
        const [written, { lastTick }] = [await pipeline.written(topic), source]
        await until('the source goes on', () => source.lastTick > lastTick + 10)
        return (await pipeline.written(topic)) === written
      })
    },
  }
}

export function resumed(connector: string): RunbookStep {
  return {
    command: `curl -X PUT http://localhost:8083/connectors/${connector}/resume`,
    promises: 'records are written again, those of the pause too',
    holds: goesOn(connector),
  }
}

export function deleted(connector: string): RunbookStep {
  return {
    command: `curl -X DELETE http://localhost:8083/connectors/${connector}`,
    promises: 'it is gone',
    holds: (pipeline) => pipeline.states(connector, 'absent'),
  }
}

/** The promise that the connector writes records again and has missed none. */
export function goesOn(connector: string): (pipeline: Pipeline) => Promise<void> {
  return async (pipeline) => {
    await pipeline.goesOn(flow(pipeline, connector))
    await pipeline.nothingLost(flow(pipeline, connector))
  }
}

/** The promise that the answer is the connector's config with these settings changed, and no others. */
export function merged(connector: string, settings: Readonly<Record<string, string>>): RunbookStep['holds'] {
  return async (pipeline, output) => {
    const { name, config } = JSON.parse(output) as { name: string; config: unknown }
    assert.deepEqual([name, config], [connector, { name: connector, ...flow(pipeline, connector).config, ...settings }])
    await pipeline.goesOn(flow(pipeline, connector))
  }
}

/** Before a command: the source goes away, and the connector fails. */
export function sourceDown(connector: string): (pipeline: Pipeline) => Promise<void> {
  return async (pipeline) => {
    flow(pipeline, connector).source.stop()
    await pipeline.states(connector, FAILED)
  }
}

/** Before a command: like `sourceDown`, then the source is back, but the connector does not reconnect by itself. */
export function sourceDownAndBack(connector: string): (pipeline: Pipeline) => Promise<void> {
  return async (pipeline) => {
    await sourceDown(connector)(pipeline)
    await flow(pipeline, connector).source.start()
  }
}
