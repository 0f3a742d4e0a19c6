import { sourceContract } from '@tributary/testkit'
import { after } from 'node:test'
import { grpcFixture } from './grpc-contract-fixture.ts'
import { startRunnerKafka } from './source-task-runner.ts'

const kafka = await startRunnerKafka()
after(() => kafka.stop())

sourceContract('gRPC', grpcFixture, () => kafka.createRunner())
