import * as client from '@platformatic/kafka'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ours from './index.ts'

// The client of others encodes each request in its own way, and writes the answers that we read.

const ID = '0191f4a2-7d5b-4c6e-9f10-a1b2c3d4e5f6'
/** Longer than any first piece of a writer's memory, and not ASCII. */
const LONG = 'größe-'.repeat(100)
const BYTES = Buffer.alloc(10_000, 'x')

function written<Args extends unknown[]>(api: ours.Api<Args, unknown>, ...args: Args): string {
  const writer = new ours.Writer()
  api.write(writer, ...args)
  const bytes = Buffer.concat(writer.parts())
  assert.equal(writer.length, bytes.length)
  return bytes.toString('hex')
}

const topics = ['t', LONG]
const members = [
  { memberId: 'm', metadata: Buffer.from('a'), assignment: BYTES, groupInstanceId: null, reason: 'r' },
  { memberId: LONG, metadata: BYTES, assignment: Buffer.from('b'), groupInstanceId: 'i', reason: LONG },
]
const producer = { producerId: 2n ** 40n, producerEpoch: 7 }
const partitions = [
  { partition: 0, offset: 5n, maxBytes: 100 },
  { partition: 300, offset: 2n ** 50n, maxBytes: 2 ** 30 },
]

const requests: Readonly<Record<string, readonly [ours: string, theirs: client.Writer]>> = {
  metadataV9: [written(ours.metadataV9, topics), client.metadataV9.createRequest(topics, false)],
  metadataV12: [written(ours.metadataV12, topics), client.metadataV12.createRequest(topics, false)],
  createTopicsV7: [
    written(ours.createTopicsV7, [{ name: LONG, numPartitions: 3, replicationFactor: -1, configs: [{ name: 'a', value: LONG }] }], 9), // prettier-ignore
    client.createTopicsV7.createRequest([{ name: LONG, numPartitions: 3, replicationFactor: -1, assignments: [], configs: [{ name: 'a', value: LONG }] }], 9, false), // prettier-ignore
  ],
  deleteTopicsV6: [
    written(ours.deleteTopicsV6, topics, 9),
    client.deleteTopicsV6.createRequest(
      topics.map((name) => ({ name, topicId: null })),
      9,
    ),
  ],
  describeConfigsV4: [
    written(ours.describeConfigsV4, [{ resourceType: 2, resourceName: LONG, configurationKeys: topics }]),
    client.describeConfigsV4.createRequest([{ resourceType: 2, resourceName: LONG, configurationKeys: topics }]),
  ],
  incrementalAlterConfigsV1: [
    written(ours.incrementalAlterConfigsV1, [{ resourceType: 2, resourceName: LONG, changes: [{ name: 'a', value: LONG }, { name: 'b', value: null }] }]), // prettier-ignore
    client.incrementalAlterConfigsV1.createRequest([{ resourceType: 2, resourceName: LONG, configs: [{ name: 'a', value: LONG, configOperation: 0 }, { name: 'b', configOperation: 1 }] }], false), // prettier-ignore
  ],
  listOffsetsV7: [
    written(ours.listOffsetsV7, 1, [{ name: LONG, partitions: [{ partitionIndex: 1, currentLeaderEpoch: -1, timestamp: -2n }] }]), // prettier-ignore
    client.listOffsetsV7.createRequest(-1, 1, [{ name: LONG, partitions: [{ partitionIndex: 1, currentLeaderEpoch: -1, timestamp: -2n }] }]), // prettier-ignore
  ],
  findCoordinatorV3: [written(ours.findCoordinatorV3, 1, LONG), client.findCoordinatorV3.createRequest(1, [LONG])],
  findCoordinatorV4: [written(ours.findCoordinatorV4, 0, topics), client.findCoordinatorV4.createRequest(0, topics)],
  joinGroupV7: [
    written(ours.joinGroupV7, {
      ...{ groupId: 'g', sessionTimeoutMs: 1, rebalanceTimeoutMs: 2, memberId: '', groupInstanceId: LONG },
      ...{ protocolType: 'p', protocols: [{ name: 'n', metadata: BYTES }] },
    }),
    client.joinGroupV7.createRequest('g', 1, 2, '', LONG, 'p', [{ name: 'n', metadata: BYTES }]),
  ],
  syncGroupV5: [
    written(ours.syncGroupV5, {
      ...{ groupId: 'g', generationId: 3, memberId: LONG, groupInstanceId: null },
      ...{ protocolType: 'p', protocolName: 'n', assignments: members },
    }),
    client.syncGroupV5.createRequest('g', 3, LONG, null, 'p', 'n', members),
  ],
  heartbeatV4: [written(ours.heartbeatV4, LONG, 3, 'm', null), client.heartbeatV4.createRequest(LONG, 3, 'm', null)],
  leaveGroupV5: [written(ours.leaveGroupV5, LONG, members), client.leaveGroupV5.createRequest(LONG, members)],
  describeGroupsV5: [written(ours.describeGroupsV5, topics), client.describeGroupsV5.createRequest(topics, false)],
  initProducerIdV4: [
    written(ours.initProducerIdV4, null, 60_000, producer),
    client.initProducerIdV4.createRequest(null, 60_000, producer.producerId, producer.producerEpoch),
  ],
  addPartitionsToTxnV3: [
    written(ours.addPartitionsToTxnV3, LONG, producer, [{ name: LONG, partitions: [0, 70_000] }]),
    client.addPartitionsToTxnV3.createRequest([
      { transactionalId: LONG, ...producer, verifyOnly: false, topics: [{ name: LONG, partitions: [0, 70_000] }] },
    ]),
  ],
  endTxnV3: [
    written(ours.endTxnV3, LONG, producer, true),
    client.endTxnV3.createRequest(LONG, producer.producerId, producer.producerEpoch, true),
  ],
  fetchV13: [
    written(ours.fetchV13, { maxWaitMs: 1, minBytes: 2, maxBytes: 3, isolation: 1, topicId: ID, partitions }),
    client.fetchV13.createRequest(
      ...[1, 2, 3, 1, 0, -1],
      [{ topicId: ID, partitions: partitions.map((p) => ({ partition: p.partition, currentLeaderEpoch: -1, fetchOffset: p.offset, lastFetchedEpoch: -1, partitionMaxBytes: p.maxBytes })) }], // prettier-ignore
      [],
      '',
    ),
  ],
}

for (const [name, [own, theirs]] of Object.entries(requests)) {
  test(`${name} is written as another client writes it`, () => {
    assert.equal(own, theirs.buffer.toString('hex'))
  })
}
