import { sourceContract, withProps } from '@tributary/testkit'
import { kafkaTaskRunner } from '@tributary/testkit/kafka'
import { after } from 'node:test'
import { grpcFixture } from './contract-fixture.ts'

const kafka = await kafkaTaskRunner()
after(() => kafka.stop())

sourceContract('gRPC', grpcFixture, kafka.createRunner)

/** With records and offsets in one transaction, which requires a feed that can resume. */
const exactlyOnce = {
  ...withProps(grpcFixture, { ...grpcFixture.resume, 'exactly.once.support': 'required' }),
  alwaysResumes: true,
} as const
sourceContract('gRPC, exactly once', exactlyOnce, kafka.createRunner)
