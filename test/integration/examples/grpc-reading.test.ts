import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { defineConfig, providerSettings, providersFrom, resolveReferences } from '@tributary/config'
import { grpcSource } from '@tributary/grpc-ingest'
import { expectedValue, startExampleServer } from './grpc-server.ts'
import { grpcExamples, secretsFile } from './grpc-configs.ts'
import { driveTask } from '../../support/grpc-task.ts'

const folder = mkdtempSync(join(tmpdir(), 'grpc-examples-'))
const secretsPath = join(folder, 'secrets.properties')
writeFileSync(secretsPath, secretsFile)
const providers = providersFrom(
  defineConfig(providerSettings).parse({
    'config.providers': 'file',
    'config.providers.file.param.allowed.paths': folder,
  }),
  {},
)
const server = await startExampleServer()

describe("the documents' configurations", () => {
  after(() => {
    server.stop()
    rmSync(folder, { recursive: true })
  })

  for (const { name, config } of grpcExamples(server, secretsPath)) {
    test(`${name} is valid and gives the right records`, async () => {
      const { props } = await resolveReferences(config, providers)
      const errors = await grpcSource.connector.validate!(props, new AbortController().signal)
      assert.deepEqual(errors, [])
      const [taskConfig] = grpcSource.connector.taskConfigs(props, 1)
      const driven = await driveTask(taskConfig!)
      await driven.connect()
      const records = await driven.pollTo(10)
      const method = `${config['grpc.service.name']}/${config['grpc.method.name']}`
      for (const [i, record] of records.slice(0, 10).entries()) {
        assert.deepEqual(JSON.parse(String(record.value)), expectedValue(method, i + 1))
        assert.equal(record.topic, config['kafka.topic'])
      }
      await driven.task.stop()
    })
  }

  test('send the configured request and metadata', () => {
    assert.deepEqual(server.requests.get('com.example.production.EventService/StreamEvents'), {
      environment: 'production',
      version: 'v1',
    })
    const sent = server.metadata('com.example.production.EventService/StreamEvents')
    assert.equal(sent?.['authorization'], 'Bearer s3cret')
    assert.equal(sent?.['x-environment'], 'production')
    const secure = server.metadata('com.example.secure.DataService/StreamSecureData')
    assert.deepEqual([secure?.['authorization'], secure?.['x-client-id']], ['Bearer s3cret', 'kafka-connect-prod-01'])
  })
})
