import assert from 'node:assert/strict'
import { copyFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { kafkaAnswers, startKafka, temporaryFolder } from '@tributary/harness'
import { kafkaRuntime } from '../../../libs/harness/src/kafka-runtime.ts'
import { classPath } from '../../../libs/harness/src/maven.ts'

/** Puts a replacement for the Docker client on the PATH. @returns the folder with its state. */
async function engine(t: TestContext): Promise<string> {
  const folder = temporaryFolder('docker')
  const docker = join(folder, 'docker')
  copyFileSync(fileURLToPath(new URL('../../fixtures/harness/docker.sh', import.meta.url)), docker)
  chmodSync(docker, 0o755)
  const { PATH = '' } = process.env
  process.env['CLASSPATH'] = await classPath('kafka-3.9.1', 'Kafka')
  process.env['DOCKER_STATE'] = folder
  process.env['PATH'] = folder + delimiter + PATH
  t.after(() => {
    process.env['PATH'] = PATH
    delete process.env['CLASSPATH']
    delete process.env['DOCKER_STATE']
  })
  return folder
}

test('a Docker engine is preferred: one container with its ports on loopback, killed and started again by name', async (t) => {
  const folder = await engine(t)
  const fetched: string[] = []
  const broker = await startKafka({ onFetch: (what) => fetched.push(what) })
  t.after(() => broker.stop())
  assert.deepEqual(fetched, ["Kafka's image apache/kafka:3.9.1"])
  const [address = ''] = broker.brokers
  assert.equal(broker.runtime, 'docker')
  await broker.kill()
  assert.equal(await kafkaAnswers(address), false)
  await broker.start()
  await broker.stop()
  assert.equal(await kafkaAnswers(address), false)

  const commands = readFileSync(join(folder, 'commands'), 'utf8').trim().split('\n')
  const port = address.split(':')[1]
  const starts = commands.filter((command) => command.includes('kafka-server-start.sh'))
  assert.equal(starts.length, 2)
  for (const start of starts) {
    assert.match(
      start,
      new RegExp(`^run --rm --name tributary-kafka-${port}-\\S+ .*-v ${broker.dataDir}:${broker.dataDir} `),
    )
    assert.match(
      start,
      new RegExp(
        ` -p 127\\.0\\.0\\.1:${port}:${port} .* apache/kafka:3\\.9\\.1 sh -c umask 077; exec "\\$0" "\\$@" /opt/kafka/bin/`,
      ),
    )
  }
  assert.ok(commands.some((command) => command.startsWith(`kill tributary-kafka-${port}-`)))
})

test('an image that the engine has is not reported as fetched', async (t) => {
  const folder = await engine(t)
  writeFileSync(join(folder, 'pulled'), '')
  await kafkaRuntime('3.9.1', (what) => assert.fail(what))
})
