import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { pythonPackages } from '@tributary/harness'
import { type DrivenTask, driveTask } from '../../support/grpc-task.ts'
import { type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'

const fixture = (name: string): string => new URL(`../../fixtures/grpc-python/${name}`, import.meta.url).pathname

/** Descriptor of the service alone, which does not know what its Any holds. */
const FEED = `syntax = "proto3"; package feed.v1; import "google/protobuf/any.proto";
  message Watch { int32 count = 1; } message Event { int32 n = 1; google.protobuf.Any detail = 2; }
  service Feed { rpc Watch(Watch) returns (stream Event); }`

for (const reflection of [true, false]) {
  describe(`an Any of a server of grpcio ${reflection ? 'with' : 'without'} reflection`, () => {
    let server: ForeignServer

    before(async () => {
      const packages = await pythonPackages(fixture('grpc.txt'))
      server = await startForeignServer(
        packages.program(fixture('any_server.py'), reflection ? ['reflection'] : ['none']),
      )
    })
    after(() => server.stop())

    async function read(props: Props): Promise<DrivenTask> {
      const driven = await driveTask({
        'grpc.server.host': '127.0.0.1',
        'grpc.server.port': String(server.port),
        'grpc.service.name': 'feed.v1.Feed',
        'grpc.method.name': 'Watch',
        'grpc.request.message': '{"count":5}',
        'grpc.response.headers': 'feed-bin',
        'kafka.topic': 'events',
        ...props,
      })
      await driven.connect()
      await driven.pollTo(5)
      await driven.task.stop()
      return driven
    }
    const trade = (n: number): unknown => ({
      n,
      detail: {
        '@type': 'type.example.com/trade.v1.Trade',
        side: 'BUY',
        inner: { '@type': 'type.example.com/leg.v1.Leg', qty: String(n) },
      },
    })

    if (reflection) {
      for (const [what, props] of [
        ['reflected', {}],
        ['of a descriptor', { 'grpc.proto.descriptor': FEED }],
      ] as const) {
        test(`is read when the schema is ${what}; each type is asked for once`, async () => {
          const before = (await server.output()).length
          const { records } = await read(props)
          const values = records.map((record) => record.error?.code ?? (JSON.parse(String(record.value)) as unknown))
          assert.deepEqual(values, [trade(1), trade(2), 'PROTOBUF_JSON', trade(4), trade(5)])
          assert.deepEqual(
            records.map((record) => record.sourceOffset['sequence']),
            [1, 2, 3, 4, 5],
          )
          const asked = (await server.output())
            .slice(before)
            .trim()
            .split('\n')
            .filter((name) => name !== 'feed.v1.Feed')
          assert.deepEqual(asked.sort(), ['leg.v1.Leg', 'no.Such', 'trade.v1.Trade'])
        })
      }

      test('stands beside every value of a -bin header', async () => {
        const { records } = await read({})
        const values = records[0]?.headers?.map(({ value }) => Buffer.from(value as Buffer).toString('hex'))
        assert.deepEqual(values, ['01', '0203'])
      })
    } else {
      test('is an error record that says so', async () => {
        const { records } = await read({ 'grpc.proto.descriptor': FEED })
        assert.deepEqual(
          records.map((record) => record.error?.code),
          Array.from({ length: 5 }, () => 'PROTOBUF_JSON'),
        )
        assert.match(
          String(records[0]?.error?.message),
          /type\.example\.com\/trade\.v1\.Trade\. Neither the schema nor the reflection of the server has it/,
        )
      })
    }
  })
}
