import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaConnection } from '@tributary/config'
import { type KafkaBroker, startKafka } from '@tributary/harness'
import { CompactedLog, GroupMember } from '@tributary/kafka'
import { createProducer } from '@tributary/kafka-producer'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { until } from '../../support/until.ts'

/** The broker closes a connection on which a request follows the end of its session (KIP-368). */
const SESSION_MS = 2000
const SESSIONS = 3
/** Longer than a timer of Node can wait. */
const LONG_SESSION_MS = 2 ** 32
const EVERY_MS = 5

const forever = new AbortController().signal
const sockets: Socket[] = []
subscribe('net.client.socket', (message) => void sockets.push((message as { socket: Socket }).socket))

let broker: KafkaBroker
before(async () => {
  broker = await startKafka({
    secure: true,
    properties: {
      'listener.name.sasl_plaintext.connections.max.reauth.ms': String(SESSION_MS),
      'listener.name.sasl_ssl.connections.max.reauth.ms': String(LONG_SESSION_MS),
    },
  })
})
after(() => broker.stop())

function connectionBy(mechanism: NonNullable<KafkaConnection['sasl']>['mechanism'], ca?: string): KafkaConnection {
  const { username, password, brokers, tlsBrokers } = broker.sasl!
  const sasl = { mechanism, username, password: { reveal: () => password } }
  const reach = ca === undefined ? { brokers } : { brokers: tlsBrokers, tls: { ca } }
  return { ...reach, clientId: 'session', sasl }
}

/** A producer, a membership, and tails of a busy and of a quiet topic, all by one login. */
class Client {
  /** Warnings and errors of the log, outages, and lost memberships since `settled`. */
  troubles: unknown[] = []
  readonly #name: string
  readonly #busy = `busy-${randomUUID()}`
  readonly #quiet = `quiet-${randomUUID()}`
  readonly #read: string[] = []
  readonly #lines: LogLine[] = []
  #written = 0
  write: (topic: string, value: string) => Promise<void> = () => Promise.reject(new Error('not started'))
  leaseValid = (): boolean => false

  constructor(name: string) {
    this.#name = name
  }

  async start(t: TestContext, connection: KafkaConnection): Promise<void> {
    const log = rememberingLog(this.#lines)
    for (const name of [this.#busy, this.#quiet]) {
      const onRecord = ({ value }: { value: Buffer | null }): void => void this.#read.push(`${name} ${String(value)}`)
      const topic = { name, partitions: 1, replicationFactor: -1 }
      const tail = new CompactedLog({ connection, topic, log, onRecord })
      t.after(() => tail.stop())
      await tail.start(forever)
    }
    const member = new GroupMember<object, object>({
      ...{ connection, log, groupId: `g-${randomUUID()}`, metadata: () => ({}) },
      assign: (members) => new Map(members.map(({ memberId }) => [memberId, {}])),
      onAssignment: () => undefined,
      onLost: (reason) => void this.troubles.push(`lost: ${reason}`),
    })
    t.after(() => member.leave())
    await member.start(forever)
    this.leaseValid = () => member.leaseValid()
    const onOutage = (state: string, error: unknown): void => void this.troubles.push(`${state}: ${String(error)}`)
    const producer = createProducer(connection, { driver: 'tributary', onOutage })
    t.after(() => producer.close())
    await producer.start(forever)
    this.write = async (topic, value) => {
      const bytes = Buffer.from(value)
      const record = { topic, partition: 0, key: bytes, value: bytes, timestamp: 0 }
      assert.deepEqual((await producer.send([record], forever)).failures, [])
    }
    await Promise.all([this.write(this.#busy, 'first'), this.write(this.#quiet, 'first')])
    await until('the first records are read', () => this.#read.length === 2)
    this.#lines.length = 0
    this.troubles = []
  }

  async writeFor(ms: number): Promise<void> {
    const sends: Promise<void>[] = []
    for (const end = Date.now() + ms; Date.now() < end; this.#written++) {
      sends.push(this.write(this.#busy, String(this.#written)))
      await sleep(EVERY_MS)
    }
    await Promise.all([...sends, this.write(this.#quiet, 'last')])
  }

  /** Checks that all was written and read once, in order, and that nobody saw more of it. */
  async check(): Promise<void> {
    await until(`${this.#name}: all is read`, () => this.#read.length >= this.#written + 3)
    const values = this.#read.filter((line) => line.startsWith(this.#busy)).map((line) => line.split(' ')[1])
    assert.deepEqual(values, ['first', ...Array.from({ length: this.#written }, (_, i) => String(i))], this.#name)
    const lines = this.#lines.filter(({ level }) => level === 'warn' || level === 'error')
    assert.deepEqual([...this.troubles, ...lines], [], this.#name)
    assert.ok(this.leaseValid(), this.#name)
  }
}

test('sessions are renewed below writes, reads and memberships, and no connection ends', async (t) => {
  const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
  const clients = mechanisms.map((mechanism) => new Client(mechanism))
  await Promise.all(clients.map((client, i) => client.start(t, connectionBy(mechanisms[i]!))))
  const opened = sockets.length
  await Promise.all(clients.map((client) => client.writeFor(SESSIONS * SESSION_MS)))
  for (const client of clients) await client.check()
  assert.equal(sockets.length, opened, 'connections were opened')
})

test('a session may be longer than a timer can wait', async (t) => {
  const client = new Client('long')
  await client.start(t, connectionBy('PLAIN', await readFile(broker.tls!.ca, 'utf8')))
  const opened = sockets.length
  await client.writeFor(200)
  await client.check()
  assert.equal(sockets.length, opened, 'connections were opened')
})
