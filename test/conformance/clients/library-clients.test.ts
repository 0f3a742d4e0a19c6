import test from 'node:test'
import { javaClassPath, pythonPackages } from '@tributary/harness'
import { ACCESS_MODES } from '../access-modes.ts'
import { type Client, libraryClient } from './client.ts'
import { runScript } from './client-script.ts'
import { startClientSides } from './client-sides.ts'
import { kafkaConnectApiSteps } from './kafka-connect-api.ts'
import { kafkaConnectClientSteps } from './kafka-connect-client.ts'
import { terraformRoundTrips } from './terraform.ts'

const here = (name: string): string => new URL(name, import.meta.url).pathname

for (const access of ACCESS_MODES) {
  test(
    `client libraries cannot distinguish Tributary from Kafka Connect, ${access}`,
    { timeout: 600_000 },
    async (t) => {
      const sides = await startClientSides(t, access)

      await t.test('kafka-connect-api', async (t) => {
        const packages = await pythonPackages(here('packages/kafka-connect-api.txt'))
        const client = (url: string): Promise<Client> =>
          libraryClient(t, packages.program(here('kafka_connect_api_calls.py'), [url]))
        const clients = { connect: await client(sides.connect), ours: await client(sides.ours) }
        await runScript(sides, clients, kafkaConnectApiSteps(sides))
      })

      await t.test('org.sourcelab:kafka-connect-client', async (t) => {
        const path = await javaClassPath(here('packages/kafka-connect-client.xml'), 'kafka-connect-client')
        const client = (url: string): Promise<Client> => {
          // The JVM compiles the one file itself.
          const args = ['-Xmx128m', '-cp', path, here('KafkaConnectClientCalls.java'), url]
          return libraryClient(t, { command: 'java', args })
        }
        const clients = { connect: await client(sides.connect), ours: await client(sides.ours) }
        await runScript(sides, clients, kafkaConnectClientSteps(sides))
      })
    },
  )
}

// Its provider takes minutes to build.
if (process.env['TRIBUTARY_TEST_LONG'] === '1') {
  test(
    'Terraform manages connectors with an API key, whether or not it sees their secrets',
    { timeout: 900_000 },
    (t) => terraformRoundTrips(t),
  )
}
