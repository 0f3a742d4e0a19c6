import { merged, type Procedure, type RunbookStep, SINK, taskRestarted, sourceDownAndBack } from './step.ts'

const batches = (size: string): RunbookStep => ({
  command: `curl -X PUT http://localhost:8083/connectors/${SINK}/config \\
  -H "Content-Type: application/json" \\
  -d '{"batch.size": "${size}", "consumer.max.poll.records": "${size}"}'`,
  promises: 'sets both, keeps the others, and answers the whole config',
  holds: merged(SINK, { 'batch.size': size, 'consumer.max.poll.records': size }),
})

/** The runbook for a high consumer lag, and the additional commands of the troubleshooting guide. */
export const highLag: readonly Procedure[] = [
  { name: 'larger batches, and back', steps: [batches('2000'), batches('1000')] },
  { name: 'a task that has failed', steps: [taskRestarted(SINK, sourceDownAndBack(SINK))] },
]
