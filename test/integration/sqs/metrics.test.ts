import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { sharedElasticMq, sharedKafka } from '@tributary/harness'
import { createTopic } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { SqsFlow } from '../../support/sqs-flow.ts'
import { until } from '../../support/until.ts'

const MESSAGES = 20
const CLASSES = ['io.tributary.connect.sqs.SqsSourceConnector', 'io.connect.sqs.SqsSourceConnector']

/** The sample queries of the operators' guide to the JVM connector. */
const QUERIES = [
  'rate(kafka_connect_source_task_messages_sent_total[5m])',
  'rate(kafka_connect_source_task_messages_failed_total[5m]) / rate(kafka_connect_source_task_messages_received_total[5m]) * 100',
  'aws_sqs_approximate_number_of_messages_visible',
  'histogram_quantile(0.95, rate(kafka_connect_source_task_processing_time_ms_bucket[5m]))',
]

/** The figures of Kafka Connect that the guide names: source-record-poll-total and so on. */
const CONNECT = ['poll_total', 'write_total', 'write_rate', 'active_count']

/** The names of series in an expression of PromQL. */
const namesIn = (expression: string): string[] => expression.match(/\b(?:kafka_connect|aws_sqs|tributary)_\w+/g) ?? []

describe('the SQS source in its service', () => {
  let services: Services
  let flow: SqsFlow
  before(async () => {
    const server = await sharedElasticMq()
    const { brokers } = await sharedKafka()
    services = await startServices('sqs-ingest')
    flow = await SqsFlow.create(server, brokers, await createTopic(brokers))
  })
  after(() => services.stop())

  for (const name of CLASSES) {
    test(`validates a configuration of ${name} at the queue`, async () => {
      const validate = async (more: Readonly<Record<string, string>>): Promise<string[]> => {
        const config = { ...flow.config(), name: 'v', 'connector.class': name, ...more }
        const { status, body } = await services.rest('PUT', `/connector-plugins/${name}/config/validate`, config)
        assert.equal(status, 200)
        const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
        return configs.flatMap(({ value }) => value.errors.map((error) => `${value.name}: ${error}`))
      }
      assert.deepEqual(await validate({}), [])
      const [error] = await validate({ 'sqs.queue.url': 'no-such-queue' })
      assert.match(error!, /^sqs\.queue\.url: Failed to find the SQS queue no-such-queue: QueueDoesNotExist/)
    })
  }

  test('has the series of the guide, with the counts of what went through, and those of the alert rules', async () => {
    await services.create('metered', flow.config())
    await flow.send(MESSAGES)
    const scrape = await until('all are deleted and the depth is known', async () => {
      const text = await services.scrape()
      const deleted = new RegExp(`messages_deleted_total\\{connector="metered",task="0"\\} ${MESSAGES}\\b`).test(text)
      return deleted && text.includes('aws_sqs_approximate_number_of_messages_visible{') && text
    })
    const rules = readFileSync(new URL('../../../deploy/prometheus/sqs.rules.yml', import.meta.url), 'utf8')
    const expressions = [...QUERIES, ...[...rules.matchAll(/expr: (.*)/g)].map(([, expression]) => expression!)]
    assert.equal(expressions.length, QUERIES.length + 6)
    expressions.push(...CONNECT.map((name) => `kafka_connect_source_task_metrics_source_record_${name}`))
    const missing = expressions.flatMap(namesIn).filter((name) => !scrape.includes(`\n${name}{`))
    assert.deepEqual(missing, [])
    for (const line of [
      `messages_received_total{connector="metered",task="0"} ${MESSAGES}`,
      `messages_sent_total{connector="metered",task="0"} ${MESSAGES}`,
      'messages_failed_total{connector="metered",task="0"} 0',
      `processing_time_ms_count{connector="metered",task="0"} ${MESSAGES}`,
      `processing_time_ms_bucket{connector="metered",task="0",le="+Inf"} ${MESSAGES}`,
    ]) {
      assert.ok(scrape.includes(`\nkafka_connect_source_task_${line}\n`), line)
    }
  })
})
