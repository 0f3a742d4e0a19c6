import { sourceContract, type SourceFixture } from '@tributary/testkit'
import { after } from 'node:test'
import { grpcFixture } from './grpc-contract-fixture.ts'
import { startRunnerKafka } from './source-task-runner.ts'

const kafka = await startRunnerKafka()
after(() => kafka.stop())

sourceContract('gRPC', grpcFixture, () => kafka.createRunner())
sourceContract('gRPC, exactly once', exactlyOnce(grpcFixture), () => kafka.createRunner())

/** The same source, with its records and offsets in one transaction, which asks for a feed that can resume. */
function exactlyOnce(fixture: SourceFixture): SourceFixture {
  const props = { ...fixture.resume, 'exactly.once.support': 'required' }
  return {
    ...fixture,
    alwaysResumes: true,
    startFeed: async () => {
      const feed = await fixture.startFeed()
      return Object.defineProperty(feed, 'props', { value: { ...feed.props, ...props } })
    },
  }
}
