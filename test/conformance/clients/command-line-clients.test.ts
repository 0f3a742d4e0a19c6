import test, { type TestContext } from 'node:test'
import { pythonPackages } from '@tributary/harness'
import { ACCESS_MODES } from '../access-modes.ts'
import { commandClient } from './client.ts'
import { type ClientStep, runScript } from './client-script.ts'
import { type ClientSides, startClientSides } from './client-sides.ts'
import { kafkaConnectCliSteps } from './kafka-connect-cli.ts'
import { kafkaConnectPySteps } from './kafka-connect-py.ts'
import { kafkaconnectSteps } from './kafkaconnect.ts'

interface CommandLineClient {
  /** The name of its requirements file. */
  readonly name: string
  readonly command: string
  readonly words: (url: string, words: readonly string[]) => readonly string[]
  readonly steps: (sides: ClientSides) => Promise<readonly ClientStep[]>
}

const CLIENTS: readonly CommandLineClient[] = [
  {
    name: 'kafka-connect-py',
    command: 'kc',
    words: (url, words) => ['--url', url, ...words],
    steps: kafkaConnectPySteps,
  },
  {
    name: 'kafkaconnect',
    command: 'kafkaconnect',
    words: (url, words) => ['--connect', url, ...words],
    steps: kafkaconnectSteps,
  },
  {
    name: 'kafka-connect-cli',
    command: 'kafka_connect',
    words: (url, words) => [...words, '--url', url],
    steps: kafkaConnectCliSteps,
  },
]

async function useClient(sides: ClientSides, { name, command, words, steps }: CommandLineClient): Promise<void> {
  const packages = await pythonPackages(new URL(`packages/${name}.txt`, import.meta.url).pathname)
  const client = (url: string) => commandClient((given) => packages.command(command, words(url, given)))
  await runScript(sides, { connect: client(sides.connect), ours: client(sides.ours) }, await steps(sides))
}

for (const access of ACCESS_MODES) {
  test(
    `to command line clients Tributary and Kafka Connect are the same, ${access}`,
    { timeout: 600_000 },
    async (t: TestContext) => {
      const sides = await startClientSides(t, access)
      for (const client of CLIENTS) await t.test(client.name, () => useClient(sides, client))
    },
  )
}
