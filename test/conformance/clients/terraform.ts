import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { builtGo, sharedKafka, temporaryFolder } from '@tributary/harness'
import { makeApiKey } from '../../support/api-key.ts'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { FILE_SOURCE } from './client-sides.ts'

/**
 * Terraform 1.x makes, changes and deletes a connector with a secret. After each change its plan is empty. An admin may
 * write the secret itself; who does not see secrets writes a reference, because Terraform waits until it reads what it has
 * written.
 */
export async function terraformRoundTrips(t: TestContext): Promise<void> {
  const folder = temporaryFolder('terraform')
  await symlink(
    await builtGo(new URL('../../fixtures/terraform-provider', import.meta.url)),
    join(folder, 'terraform-provider-kafka-connect'),
  )
  const override = `provider_installation {\n  dev_overrides {\n    "Mongey/kafka-connect" = "${folder}"\n  }\n  direct {}\n}\n`
  await writeFile(join(folder, 'terraform.rc'), override)
  await writeFile(join(folder, 'feed.properties'), 'token=resolved\n')
  await writeFile(join(folder, 'lines.txt'), 'one\n')

  const { brokers } = await sharedKafka()
  const props = clusterProps(brokers, { 'access.authentication': 'keys' })
  const cluster = props['cluster']!
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  const reference = `\${file:${join(folder, 'feed.properties')}:token}`
  for (const [grant, secret] of [
    ['admin', 'a secret'],
    ['admin-configs', reference],
  ] as const) {
    const key = await makeApiKey(brokers, cluster, grant)
    await pluginListed(url.replace('://', `://key:${key}@`))
    const config = { name: 'tf', 'connector.class': FILE_SOURCE, file: join(folder, 'lines.txt') }
    const apply = async (topic: string, summary: RegExp): Promise<void> => {
      await writeFile(join(folder, 'main.tf'), configuration(url, key, { ...config, topic }, secret))
      assert.match(await terraform(folder, 'apply', '-auto-approve'), summary)
      assert.match(await terraform(folder, 'plan'), /No changes/)
      const read = await send(url, { method: 'GET', path: '/connectors/tf', headers: { 'x-api-key': key } })
      const shown = (read.body as { config: Record<string, string> }).config
      assert.deepEqual([shown['topic'], shown['auth.token']], [topic, secret])
    }
    await apply(await createTopic(brokers), /1 added, 0 changed/)
    await apply(await createTopic(brokers), /0 added, 1 changed/)
    assert.match(await terraform(folder, 'destroy', '-auto-approve'), /1 destroyed/)
  }
}

function configuration(url: string, key: string, config: Readonly<Record<string, string>>, secret: string): string {
  const quoted = (text: string): string => JSON.stringify(text).replaceAll('${', () => '$${')
  const settings = Object.entries(config).map(([name, value]) => `    ${quoted(name)} = ${quoted(value)}`)
  return `terraform {
  required_providers {
    kafka-connect = {
      source = "Mongey/kafka-connect"
    }
  }
}
provider "kafka-connect" {
  url                 = "${url}"
  basic_auth_username = "key"
  basic_auth_password = "${key}"
}
resource "kafka-connect_connector" "tf" {
  name   = "tf"
  config = {
${settings.join('\n')}
  }
  config_sensitive = {
    "auth.token" = ${quoted(secret)}
  }
}
`
}

function terraform(folder: string, ...words: string[]): Promise<string> {
  const env = { ...process.env, TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'), CHECKPOINT_DISABLE: '1' }
  return new Promise((resolve, reject) => {
    execFile('terraform', [...words, '-no-color'], { cwd: folder, env, timeout: 180_000 }, (error, out, text) =>
      error === null
        ? resolve(out)
        : reject(new Error(`terraform ${words.join(' ')}: ${out}\n${text}`, { cause: error })),
    )
  })
}
