import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type KafkaAddresses, sharedElasticMq, sharedKafka } from '@tributary/harness'
import { createTopic } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { SqsFlow } from '../../support/sqs-flow.ts'
import { type SqsFault, SqsProxy } from '../../support/sqs-proxy.ts'
import { until } from '../../support/until.ts'

/**
 * The patterns for alerts on logs of the operators' guide to the JVM connector, as they stand there. That of a Kafka that is away is found
 * in test/crash/ingest/sqs-kafka-outage.test.ts.
 */
const PATTERNS = {
  login: /ERROR.*Authentication failed|SASL authentication failed/,
  credentials: /ERROR.*Unable to load credentials|ExpiredTokenException/,
  receive: /ERROR.*Failed to receive messages from SQS|ReceiveMessage failed/,
  timeout: /ERROR.*SocketTimeoutException|Connection timeout/,
} as const

const answer =
  (status: number, type: string): SqsFault =>
  (action) =>
    action === 'ReceiveMessage' ? { status, type, message: 'because' } : undefined

const JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="tributary" password="wrong";'

describe('the log patterns of the guide', () => {
  let kafka: KafkaAddresses
  let services: Services
  let proxy: SqsProxy
  let flow: SqsFlow
  before(async () => {
    kafka = await sharedKafka({ secure: true })
    const { username, password, tlsBrokers } = kafka.sasl!
    services = await startServices('sqs-ingest', {
      AWS_MAX_ATTEMPTS: '1',
      KAFKA_BROKERS: tlsBrokers.join(','),
      TRIBUTARY_KAFKA_TLS_ENABLED: 'true',
      TRIBUTARY_KAFKA_TLS_CA: kafka.tls!.ca,
      TRIBUTARY_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      TRIBUTARY_KAFKA_SASL_USERNAME: username,
      TRIBUTARY_KAFKA_SASL_PASSWORD: password,
    })
    const server = await sharedElasticMq()
    proxy = await SqsProxy.listen(server.url)
    flow = await SqsFlow.create(server, kafka.brokers, await createTopic(kafka.brokers))
  })
  after(async () => {
    await services.stop()
    await proxy.close()
  })

  /** Starts a connector, does `fault` to it, and waits for a line of the pattern about it. */
  async function finds(
    name: keyof typeof PATTERNS,
    config: Readonly<Record<string, string>>,
    fault: () => void = () => {},
  ): Promise<string> {
    const all = { ...flow.config(proxy.url), 'sqs.wait.time.seconds': '1', ...config }
    const { status, body } = await services.rest('POST', '/connectors', { name, config: all })
    assert.equal(status, 201, JSON.stringify(body))
    try {
      if (Object.keys(config).length === 0 || name === 'timeout') {
        await until('it runs', async () => (await services.status(name)).tasks[0]?.state === 'RUNNING')
      }
      fault()
      return await until(`a line matches ${PATTERNS[name].source}`, async () => {
        const lines = (await services.workerLog()).split('\n')
        return lines.find((line) => line.includes(`connector_name=${name} `) && PATTERNS[name].test(line))
      })
    } finally {
      proxy.fault = undefined
      proxy.release()
      await services.rest('DELETE', `/connectors/${name}`)
    }
  }

  test('find an SQS that fails', async () => {
    await finds('receive', {}, () => (proxy.fault = answer(500, 'com.amazonaws.sqs#InternalError')))
  })

  test('find credentials that have expired, and the task is FAILED', async () => {
    const expired = answer(403, 'com.amazon.coral.service#ExpiredTokenException')
    const line = await finds('credentials', {}, () => (proxy.fault = expired))
    assert.match(line, / ERROR .*event=task_failed/)
  })

  test('find an SQS that does not answer', async () => {
    await finds('timeout', { 'aws.request.timeout.ms': '1000' }, () => proxy.hold())
  })

  test('find a login to Kafka that is refused', async () => {
    await flow.send(1)
    const line = await finds('login', { 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.jaas.config': JAAS })
    assert.doesNotMatch(line, /password="wrong"/)
  })
})
