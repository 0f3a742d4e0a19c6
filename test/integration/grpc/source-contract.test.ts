import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { grpcSource } from '@tributary/grpc-ingest'
import { sourceContract, withProps } from '@tributary/testkit'
import { kafkaTaskRunner } from '@tributary/testkit/kafka'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { until } from '../../support/until.ts'
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

for (const [how, more] of [
  ['at least once', {}],
  [
    'exactly once',
    {
      'exactly.once.support': 'required',
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from.sequence',
    },
  ],
] as const) {
  test(`a completed stream is not read again after a restart or a kill, ${how}`, async (t) => {
    const args = ['-count', '3', '-interval', '5ms']
    const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
    t.after(() => server.stop())
    const runner = await kafka.createRunner()
    const props = tickerProps(server.port, { ...more, 'grpc.on.completion': 'stop', 'kafka.topic': runner.topic })
    const task = await runner.start(grpcSource, props)
    const completed = (): unknown => task.committedOffset()?.['completed']
    await until('the end is in the offset', () => completed() !== undefined)
    await task.crash()
    for (let i = 0; i < 2; i++) {
      await task.restart()
      const { polls } = task
      await until('it polls', () => task.polls > polls + 1)
      assert.equal(task.state, 'running')
      await task.stop()
    }
    assert.equal((await task.kept()).length, 3)
    assert.equal((await server.output()).match(/stream/g)?.length, 1)
  })
}
