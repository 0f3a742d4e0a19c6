import type { KafkaConnection } from '@tributary/config'
import { startKafka, type KafkaBroker } from '@tributary/harness'
import { createProducer, createProducerPool, type ProducerDriver } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { createTopic, denyWrite } from '../../support/kafka-topic.ts'
import { deadline, recordsOf, valuesIn } from './support.ts'

type Reach = Omit<KafkaConnection, 'clientId'>
const secret = (text: string): { reveal(): string } => ({ reveal: () => text })

export function connectionContract(driver: ProducerDriver): void {
  describe('connections', () => {
    let broker: KafkaBroker
    let ca: string
    let cert: string
    let key: string
    before(async () => {
      broker = await startKafka({
        secure: true,
        properties: {
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
          'allow.everyone.if.no.acl.found': 'true',
        },
      })
      ca = await readFile(broker.tls!.ca, 'utf8')
      cert = await readFile(broker.tls!.cert, 'utf8')
      key = await readFile(broker.tls!.key, 'utf8')
    })
    after(() => broker.stop())

    const produces = async (reach: Reach): Promise<void> => {
      const topic = await createTopic(broker.brokers)
      const producer = createProducer({ ...reach, clientId: 'contract' }, { driver, retryBackoffMs: 20 })
      try {
        await producer.start(deadline())
        await producer.send(recordsOf(topic, ['x']), deadline())
        assert.deepEqual(await valuesIn(broker.brokers, topic), ['x'])
      } finally {
        await producer.close()
      }
    }
    const isRefused = async (reach: Reach, error: { code: string; message: RegExp }): Promise<void> => {
      const producer = createProducer({ ...reach, clientId: 'contract' }, { driver, retryBackoffMs: 20 })
      await assert.rejects(producer.start(deadline()), { ...error, kind: 'config' })
      await producer.close()
    }
    const login = (
      mechanism: NonNullable<Reach['sasl']>['mechanism'],
      password?: string,
    ): NonNullable<Reach['sasl']> => {
      const { username, password: right } = broker.sasl!
      return { mechanism, username, password: secret(password ?? right) }
    }

    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      test(`${mechanism} connects`, () => produces({ brokers: broker.sasl!.brokers, sasl: login(mechanism) }))
      test(`${mechanism} over TLS connects`, () =>
        produces({ brokers: broker.sasl!.tlsBrokers, sasl: login(mechanism), tls: { ca } }))
      test(`${mechanism} with a wrong password is a config error`, () =>
        isRefused(
          { brokers: broker.sasl!.brokers, sasl: login(mechanism, 'wrong') },
          { code: 'SASL_AUTHENTICATION_FAILED', message: /tributary.*check user, password/ },
        ))
    }

    test("a producer of a pool connects with a login of its own, and one without has the pool's", async () => {
      const { username, password, tlsBrokers } = broker.sasl!
      const wrong = { mechanism: 'SCRAM-SHA-512', username, password: secret('wrong') } as const
      const pool = createProducerPool({ brokers: tlsBrokers, tls: { ca }, sasl: wrong, clientId: 'contract' }, driver)
      const topic = await createTopic(broker.brokers)
      const login = { username, password: secret(password) }
      const own = pool.create({ security: { mechanism: 'SCRAM-SHA-256', login }, retryBackoffMs: 20 })
      const other = pool.create({ retryBackoffMs: 20 })
      try {
        await own.start(deadline())
        await own.send(recordsOf(topic, ['x']), deadline())
        assert.deepEqual(await valuesIn(broker.brokers, topic), ['x'])
        await assert.rejects(other.start(deadline()), { code: 'SASL_AUTHENTICATION_FAILED', kind: 'config' })
        assert.throws(() => createProducerPool({ brokers: broker.brokers, clientId: 'contract' }, driver).create({ security: { protocol: 'SASL_SSL' } }), { code: 'SASL_LOGIN_MISSING' }) // prettier-ignore
      } finally {
        await Promise.all([own.close(), other.close()])
      }
    })

    test('mutual TLS connects', () => produces({ brokers: broker.tls!.brokers, tls: { ca, cert, key } }))

    test('a missing client certificate is a config error', () =>
      isRefused(
        { brokers: broker.tls!.brokers, tls: { ca } },
        { code: 'TLS_HANDSHAKE_FAILED', message: /certificate/ },
      ))

    test('an unknown authority is a config error', () =>
      isRefused(
        { brokers: broker.tls!.brokers, tls: { cert, key } },
        { code: 'TLS_HANDSHAKE_FAILED', message: /check the certificates/ },
      ))

    test('a topic that the user may not write is a config error that says what to allow', async () => {
      const topic = await createTopic(broker.brokers)
      await denyWrite(broker.brokers, broker.sasl!.username, topic)
      const reach = { brokers: broker.sasl!.brokers, sasl: login('PLAIN'), clientId: 'contract' }
      const producer = createProducer(reach, { driver })
      await producer.start(deadline())
      const message =
        driver === 'kafkajs' ? /allow the user Write/ : /User:tributary lacks the right Write on Topic "t-/
      const refusal = { code: 'TOPIC_AUTHORIZATION_FAILED', kind: 'config', message }
      await assert.rejects(producer.send(recordsOf(topic, ['x']), deadline()), refusal)
      await producer.close()
    })
  })
}
