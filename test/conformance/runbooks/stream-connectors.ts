import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import {
  deleted,
  flow,
  goesOn,
  paused,
  type Procedure,
  restarted,
  resumed,
  type RunbookStep,
  sourceDown,
  sourceDownAndBack,
  taskRestarted,
} from './step.ts'

const CONNECTOR = 'grpc-connector'

const bothRun: RunbookStep['holds'] = (_, output) => {
  const { connector, tasks } = JSON.parse(output) as { connector: { state: string }; tasks: { state: string }[] }
  assert.deepEqual([connector.state, ...tasks.map(({ state }) => state)], ['RUNNING', 'RUNNING'])
}

/** The first two checks of the script. The third one reads JMX beans. */
const healthScript = `CONNECTOR_NAME="grpc-connector"
CONNECT_URL="http://localhost:8083"
STATUS=$(curl -s $CONNECT_URL/connectors/$CONNECTOR_NAME/status | jq -r '.connector.state')

if [ "$STATUS" != "RUNNING" ]; then
  echo "CRITICAL: Connector not running (state: $STATUS)"
  exit 2
fi

# Check task status
TASK_STATUS=$(curl -s $CONNECT_URL/connectors/$CONNECTOR_NAME/status | jq -r '.tasks[0].state')

if [ "$TASK_STATUS" != "RUNNING" ]; then
  echo "CRITICAL: Task not running (state: $TASK_STATUS)"
  exit 2
fi
echo "OK: Connector healthy"`

/** The runbook of the gRPC source. The runbooks of the WebSocket and SQS sources have the same commands. */
export const streamConnectors: readonly Procedure[] = [
  {
    name: 'decision tree',
    steps: [
      {
        command: `curl http://localhost:8083/connectors/${CONNECTOR}/status | jq '.connector.state'`,
        promises: 'the state',
        holds: (_, output) => assert.equal(output, '"RUNNING"\n'),
      },
      { command: healthScript, promises: 'OK', holds: (_, output) => assert.equal(output, 'OK: Connector healthy\n') },
    ],
  },
  {
    name: 'connector not running',
    steps: [
      {
        given: sourceDown(CONNECTOR),
        command: `curl -s http://localhost:8083/connectors/${CONNECTOR}/status | jq '.tasks[0].trace'`,
        promises: 'the reason, in the first line',
        holds: (_, output) => assert.match((JSON.parse(output) as string).split('\n')[0]!, /UNAVAILABLE|refused/),
      },
      {
        command: `${healthScript.replaceAll('exit 2', 'exit 0')}`,
        promises: 'CRITICAL',
        holds: (_, output) => assert.match(output, /^CRITICAL: Task not running \(state: FAILED\)/),
      },
      restarted(CONNECTOR, (pipeline) => flow(pipeline, CONNECTOR).source.start()),
      taskRestarted(CONNECTOR, sourceDownAndBack(CONNECTOR)),
      deleted(CONNECTOR),
      {
        given: (pipeline) => {
          const { name, config } = flow(pipeline, CONNECTOR)
          return pipeline.file('connector.json', { name, config })
        },
        command: `curl -X POST http://localhost:8083/connectors -H "Content-Type: application/json" -d @connector.json`,
        promises: 'it goes on where it was',
        holds: goesOn(CONNECTOR),
      },
    ],
  },
  {
    name: 'recovery',
    steps: [
      paused(CONNECTOR),
      resumed(CONNECTOR),
      {
        command: `curl -s http://localhost:8083/connectors/${CONNECTOR}/status | jq .`,
        promises: 'both run',
        holds: bothRun,
      },
    ],
  },
  {
    name: 'renewal of certificates',
    steps: [
      {
        given: async (pipeline) => {
          const { config, source } = flow(pipeline, CONNECTOR)
          assert.equal(new Set(source.certificates).size, 1)
          await pipeline.renewCertificate()
          await pipeline.file('updated-config.json', config)
        },
        command: `curl -X PUT http://localhost:8083/connectors/${CONNECTOR}/config \\
  -H "Content-Type: application/json" \\
  -d @updated-config.json`,
        promises: 'the same config again: the connector connects by itself with the certificates of the files',
        holds: async (pipeline) => {
          const { certificates } = flow(pipeline, CONNECTOR).source
          await until('the new certificate is used', () => new Set(certificates).size === 2)
          await goesOn(CONNECTOR)(pipeline)
        },
      },
    ],
  },
  {
    name: 'by the name that the workers have in a compose file',
    steps: [
      {
        command: `curl http://kafka-connect:8083/connectors/${CONNECTOR}/config > backup-config.json && cat backup-config.json`,
        promises: 'the config',
        holds: (pipeline, output) =>
          assert.deepEqual(JSON.parse(output), { name: CONNECTOR, ...flow(pipeline, CONNECTOR).config }),
      },
    ],
  },
]
