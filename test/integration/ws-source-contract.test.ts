import { sourceContract } from '@tributary/testkit'
import { after } from 'node:test'
import { startRunnerKafka } from './source-task-runner.ts'
import { websocketFixture } from './ws-contract-fixture.ts'

const kafka = await startRunnerKafka()
after(() => kafka.stop())

sourceContract('WebSocket', websocketFixture, () => kafka.createRunner())
