import assert from 'node:assert/strict'
import {
  FAILED,
  flow,
  merged,
  paused,
  type Procedure,
  restarted,
  resumed,
  type RunbookStep,
  SINK,
  SOURCE,
  sourceDown,
} from './step.ts'
import { MALFORMED } from './ticking-source.ts'
import { until } from '../../support/until.ts'

/** Of `GET /dlq/records`. */
interface Letters {
  readonly total_count: number
  readonly records: readonly { connector: string; error_type: string; error_message: string }[]
}

/** The runbook for a failed connector, cause by cause. */
export const connectorFailure: readonly Procedure[] = [
  {
    name: 'diagnosis',
    steps: [
      {
        command: `curl http://localhost:8083/connectors | jq '.[]'`,
        promises: 'names the connectors',
        holds: (_, output) => assert.deepEqual(output.trim().split('\n').sort(), [`"${SOURCE}"`, `"${SINK}"`]),
      },
      ...[SOURCE, SINK].map((connector): RunbookStep => ({
        command: `curl http://localhost:8083/connectors/${connector}/status | jq '.'`,
        promises: 'shows the states, and on which worker',
        holds: (_, output) => {
          const status = JSON.parse(output) as { connector: { worker_id: string } }
          const { worker_id } = status.connector
          assert.match(worker_id, /^127\.0\.0\.1:\d+$/)
          assert.deepEqual(status, {
            name: connector,
            connector: { state: 'RUNNING', worker_id },
            tasks: [{ id: 0, state: 'RUNNING', worker_id }],
            type: 'source',
          })
        },
      })),
      {
        command: `curl http://localhost:8083/connectors/${SINK}/status | jq '.tasks[].trace'`,
        promises: 'says nothing of a task that runs',
        holds: (_, output) => assert.equal(output, 'null\n'),
      },
    ],
  },
  {
    name: 'cause 1: the database is down',
    steps: [
      {
        given: sourceDown(SINK),
        command: `curl http://localhost:8083/connectors/${SINK}/status | jq '.tasks[].trace'`,
        promises: 'says in its first line what is wrong',
        holds: (_, output) => assert.match((JSON.parse(output) as string).split('\n')[0]!, /UNAVAILABLE|refused/),
      },
      restarted(SOURCE, async (pipeline) => {
        await sourceDown(SOURCE)(pipeline)
        await Promise.all([SOURCE, SINK].map((connector) => flow(pipeline, connector).source.start()))
      }),
      restarted(SINK),
      {
        command: `curl http://localhost:8083/connectors/${SINK}/status`,
        promises: 'shows that it has recovered',
        holds: (_, output) => assert.equal(output.match(/"state":"RUNNING"/g)?.length, 2),
      },
    ],
  },
  {
    name: 'cause 2: credentials have expired',
    steps: [
      {
        given: (pipeline) => {
          const { config } = flow(pipeline, SINK)
          // The file has the form of a POST body: a name and a config.
          return pipeline.file('docker/connectors/postgres-sink.json', { name: SINK, config })
        },
        command: `curl -X PUT http://localhost:8083/connectors/${SINK}/config \\
  -H "Content-Type: application/json" \\
  -d @docker/connectors/postgres-sink.json`,
        promises: 'takes the config of the file',
        holds: merged(SINK, {}),
      },
      restarted(SINK),
    ],
  },
  {
    name: 'cause 3: the schema registry is down',
    steps: [restarted(SOURCE), restarted(SINK)],
  },
  {
    name: 'cause 4: the tables differ',
    steps: [
      {
        command: `curl -X PUT http://localhost:8083/connectors/${SINK}/config \\
  -H "Content-Type: application/json" \\
  -d '{
    "auto.evolve": "true"
  }'`,
        promises: 'sets the one setting, keeps the others, and answers the whole config',
        holds: merged(SINK, { 'auto.evolve': 'true' }),
      },
      restarted(SINK),
    ],
  },
  {
    name: 'cause 5: more errors than are tolerated',
    steps: [
      {
        given: async (pipeline) => {
          flow(pipeline, SINK).source.spoilNext()
          await pipeline.states(SINK, FAILED)
        },
        command: `curl http://localhost:8083/connectors/${SINK}/status | jq '.tasks[].trace'`,
        promises: 'says so, and how',
        holds: (_, output) => assert.match(JSON.parse(output) as string, /Tolerance exceeded in error handler/),
      },
      {
        command: `curl -X PUT http://localhost:8083/connectors/${SINK}/config \\
  -H "Content-Type: application/json" \\
  -d '{
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.replication.factor": "1"
  }'`,
        promises: 'goes on, with the bad record in the dead-letter queue',
        holds: async (pipeline, output) => {
          const tolerant = { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.replication.factor': '1' }
          await merged(SINK, { 'auto.evolve': 'true', ...tolerant })(pipeline, output)
          const sink = flow(pipeline, SINK)
          await pipeline.nothingLost(sink)
          const letters = await pipeline.deadLetters(sink)
          assert.deepEqual(
            letters.map(({ value }) => value),
            [MALFORMED],
          )
          const headers = letters[0]!.headers.map(([name, value]) => `${name}=${value?.toString()}`)
          assert.ok(headers.includes(`__connect.errors.connector.name=${SINK}`), headers.join('\n'))
        },
      },
      {
        given: (pipeline) =>
          until('the letter is indexed', async () => {
            const output = await pipeline.shell('curl http://localhost:8080/dlq/stats')
            return (JSON.parse(output) as { total_records: number }).total_records > 0
          }).then(() => undefined),
        command: `curl http://localhost:8080/dlq/records?limit=10`,
        promises: 'shows the dead letter, with its error',
        holds: (_, output) => {
          const { total_count: total, records } = JSON.parse(output) as Letters
          assert.deepEqual([total, records.length, records[0]?.connector], [1, 1, SINK])
          assert.ok((records[0]?.error_message ?? '').length > 0)
        },
      },
      {
        command: `curl http://localhost:8080/dlq/records?error_type=TYPE_CONVERSION_ERROR`,
        promises: 'shows those of one type',
        holds: (_, output) => {
          const { records } = JSON.parse(output) as Letters
          assert.ok(records.every((record) => record.error_type === 'TYPE_CONVERSION_ERROR'))
        },
      },
      {
        command: `curl -X POST http://localhost:8080/dlq/replay \\
  -H "Content-Type: application/json" \\
  -d '{
    "error_type": "TYPE_CONVERSION_ERROR",
    "limit": 1000
  }'`,
        promises: 'begins a replay, or says that no letter is of that type',
        holds: (_, output) => {
          const { replay_id: id, error, message } = JSON.parse(output) as Record<string, string | undefined>
          assert.ok(id !== undefined || (error !== undefined && message !== undefined), output)
        },
      },
    ],
  },
  {
    name: 'cause 6: the worker has crashed, and the REST API with it',
    steps: [
      {
        given: (pipeline) => pipeline.crash(),
        command: `curl http://localhost:8083/connectors`,
        promises: 'names the connectors, which go on by themselves',
        holds: async (pipeline, output) => {
          assert.deepEqual((JSON.parse(output) as string[]).sort(), [SOURCE, SINK])
          for (const connector of [SOURCE, SINK]) {
            await pipeline.goesOn(flow(pipeline, connector))
            await pipeline.nothingLost(flow(pipeline, connector))
          }
        },
      },
    ],
  },
  {
    name: 'emergency: pause, resume',
    steps: [...[SOURCE, SINK].map(paused), ...[SOURCE, SINK].map(resumed)],
  },
  {
    name: 'last resort: delete and create again',
    steps: [
      {
        command: `curl -X DELETE http://localhost:8083/connectors/${SINK}`,
        promises: 'it is gone',
        holds: (pipeline) => pipeline.states(SINK, 'absent'),
      },
      {
        command: `curl -X POST http://localhost:8083/connectors \\
  -H "Content-Type: application/json" \\
  -d @docker/connectors/postgres-sink.json`,
        promises: 'it goes on where it was',
        holds: async (pipeline, output) => {
          assert.deepEqual((JSON.parse(output) as { tasks: unknown }).tasks, [])
          const sink = flow(pipeline, SINK)
          await pipeline.goesOn(sink)
          assert.ok(sink.source.askedFrom.at(-1)! > 0, 'resumed')
          await pipeline.nothingLost(sink)
        },
      },
    ],
  },
]
