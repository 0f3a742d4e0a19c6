import { sourceContract, withProps } from '@tributary/testkit'
import { kafkaTaskRunner } from '@tributary/testkit/kafka'
import { after } from 'node:test'
import { websocketFixture } from './contract-fixture.ts'

const SPILL_BYTES = 2 * 1024 * 1024

const kafka = await kafkaTaskRunner()
after(() => kafka.stop())

sourceContract('WebSocket', websocketFixture, kafka.createRunner)

const spilling = {
  ...withProps(websocketFixture, { 'overflow.policy': 'spill', 'spill.max.bytes': String(SPILL_BYTES) }),
  // With spill a full queue first writes to disk, which is another buffer on the way.
  transportBytes: websocketFixture.transportBytes + SPILL_BYTES,
}
sourceContract('WebSocket, spilling to disk', spilling, kafka.createRunner)
