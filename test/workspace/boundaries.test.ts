import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'
import { workspaceRoot } from './workspace.ts'

const RULES = ['@nx/enforce-module-boundaries', 'no-restricted-imports']

/** [importing file, what it may not import, why the rule says no] */
const forbidden: readonly (readonly [string, string, string])[] = [
  // One case for each row of the import table.
  ['libs/config/src/x.ts', '@tributary/telemetry', 'onlyTagsConstraintViolation'],
  ['libs/telemetry/src/x.ts', '@tributary/config', 'onlyTagsConstraintViolation'],
  ['libs/harness/src/x.ts', '@tributary/config', 'onlyTagsConstraintViolation'],
  ['libs/connect-api/src/x.ts', '@tributary/kafka', 'onlyTagsConstraintViolation'],
  ['libs/converters/src/x.ts', '@tributary/kafka', 'onlyTagsConstraintViolation'],
  ['libs/testkit/src/x.ts', '@tributary/kafka-producer', 'onlyTagsConstraintViolation'],
  ['libs/kafka/src/x.ts', '@tributary/connect-api', 'onlyTagsConstraintViolation'],
  ['libs/kafka-producer/src/x.ts', '@tributary/kafka', 'onlyTagsConstraintViolation'],
  ['libs/connect-storage/src/x.ts', '@tributary/converters', 'onlyTagsConstraintViolation'],
  ['libs/connect-runtime/src/x.ts', '@tributary/service', 'onlyTagsConstraintViolation'],
  ['libs/service/src/x.ts', '@tributary/kafka', 'onlyTagsConstraintViolation'],
  ['apps/control-plane/src/x.ts', '@tributary/connect-runtime', 'onlyTagsConstraintViolation'],
  ['apps/grpc-ingest/src/x.ts', '@tributary/kafka', 'onlyTagsConstraintViolation'],
  ['apps/demo-feed/src/x.ts', '@tributary/connect-runtime', 'onlyTagsConstraintViolation'],
  // Nobody imports an app, neither by name nor by path.
  ['apps/control-plane/src/x.ts', '@tributary/grpc-ingest', 'onlyTagsConstraintViolation'],
  ['apps/grpc-ingest/src/x.ts', '@tributary/demo-feed', 'onlyTagsConstraintViolation'],
  ['libs/connect-runtime/src/x.ts', '@tributary/control-plane', 'onlyTagsConstraintViolation'],
  ['deploy/local/x.ts', '@tributary/grpc-ingest', 'onlyTagsConstraintViolation'],
  ['deploy/local/x.ts', '../../apps/grpc-ingest/src/main.ts', 'noRelativeOrAbsoluteImportsAcrossLibraries'],
  ['apps/grpc-ingest/src/x.ts', '../../demo-feed/src/main.ts', 'noRelativeOrAbsoluteImportsAcrossLibraries'],
  ['libs/kafka/src/x.ts', '../../config/src/index.ts', 'noRelativeOrAbsoluteImportsAcrossLibraries'],
  // Imports point one way.
  ['libs/connect-api/src/x.ts', '@tributary/connect-runtime', 'noCircularDependencies'],
  // Code that is not a test may not use what is for tests.
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit', 'onlyTagsConstraintViolation'],
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit/kafka', 'onlyTagsConstraintViolation'],
  ['libs/connect-runtime/src/x.test.ts', '@tributary/testkit', 'noCircularDependencies'],
  ['libs/testkit/src/x.ts', '@tributary/connect-runtime', 'patternWithCustomMessage'],
  ['libs/testkit/src/x.ts', './kafka/kafka-task-runner.ts', 'patternWithCustomMessage'],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/harness', 'onlyTagsConstraintViolation'],
  // The row of the external packages.
  ['libs/connect-storage/src/x.ts', 'kafkajs', 'bannedExternalImportsViolation'],
  ['libs/connect-runtime/src/x.ts', '@platformatic/kafka', 'bannedExternalImportsViolation'],
  ['apps/grpc-ingest/src/x.ts', '@platformatic/kafka', 'bannedExternalImportsViolation'],
  ['deploy/local/x.ts', 'kafkajs', 'bannedExternalImportsViolation'],
  ['apps/grpc-ingest/src/x.ts', 'ws', 'bannedExternalImportsViolation'],
  ['libs/testkit/src/x.ts', 'ws', 'bannedExternalImportsViolation'],
  ['apps/control-plane/src/x.ts', '@grpc/grpc-js', 'bannedExternalImportsViolation'],
  ['libs/converters/src/x.ts', 'protobufjs', 'bannedExternalImportsViolation'],
  ['libs/converters/src/x.ts', 'protobufjs/minimal.js', 'bannedExternalImportsViolation'],
  ['libs/connect-runtime/src/x.ts', 'pino', 'bannedExternalImportsViolation'],
  ['apps/grpc-ingest/src/x.ts', '@opentelemetry/api', 'bannedExternalImportsViolation'],
  ['libs/connect-runtime/src/x.ts', '@opentelemetry/sdk-metrics', 'bannedExternalImportsViolation'],
  ['apps/grpc-ingest/src/x.ts', 'fastify', 'bannedExternalImportsViolation'],
  // Nothing of AWS is installed yet: an import is refused as not being anyone's dependency.
  ['apps/grpc-ingest/src/x.ts', '@aws-sdk/client-sqs', 'noTransitiveDependencies'],
  // A package is declared by who imports it; that npm happens to have hoisted it is not enough.
  ['libs/kafka/src/x.ts', 'semver', 'noTransitiveDependencies'],
]

const allowed: readonly (readonly [string, string])[] = [
  ['libs/connect-api/src/x.ts', '@tributary/config'],
  ['libs/converters/src/x.ts', '@tributary/connect-api'],
  ['libs/kafka/src/x.ts', '@tributary/telemetry'],
  ['libs/connect-storage/src/x.ts', '@tributary/kafka-producer'],
  ['libs/connect-runtime/src/x.ts', '@tributary/converters'],
  ['libs/testkit/src/kafka/x.ts', '@tributary/connect-runtime'],
  ['libs/service/src/x.ts', '@tributary/config'],
  ['apps/control-plane/src/x.ts', '@tributary/connect-storage'],
  ['apps/grpc-ingest/src/x.ts', '@tributary/connect-runtime'],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/testkit'],
  ['deploy/local/x.ts', '@tributary/harness'],
  ['libs/kafka-producer/src/x.ts', 'kafkajs'],
  ['libs/telemetry/src/x.ts', 'pino'],
  ['libs/service/src/x.ts', '@opentelemetry/sdk-metrics'],
  ['apps/control-plane/src/x.ts', 'fastify'],
  ['apps/grpc-ingest/src/x.ts', 'protobufjs'],
  ['apps/demo-feed/src/x.ts', 'ws'],
  ['apps/ws-ingest/src/x.ts', 'ws'],
  ['apps/ws-ingest/src/x.ts', '@tributary/push-source'],
  ['libs/kafka/src/x.ts', 'node:net'],
  ['test/integration/x.ts', '@tributary/grpc-ingest'],
  ['test/integration/x.ts', '../../apps/grpc-ingest/src/main.ts'],
  ['test/integration/x.ts', 'kafkajs'],
]

describe('import table', () => {
  let eslint: ESLint

  before(() => {
    eslint = new ESLint({
      cwd: workspaceRoot,
      // The importing files exist in no project of TypeScript, nor on the disk.
      overrideConfig: [tseslint.configs.disableTypeChecked] as NonNullable<ESLint.Options['overrideConfig']>,
    })
  })

  /** @returns what the rules on imports say about a file that holds nothing but this import. */
  async function violations(filePath: string, imported: string): Promise<string[]> {
    const [result] = await eslint.lintText(`export * from '${imported}'\n`, { filePath, warnIgnored: true })
    assert.ok(result)
    const fatal = result.messages.find((message) => message.fatal || message.ruleId === null)
    assert.equal(fatal, undefined, fatal?.message)
    return result.messages.filter(({ ruleId }) => RULES.includes(ruleId ?? '')).map(({ messageId }) => messageId ?? '')
  }

  for (const [file, imported, reason] of forbidden) {
    it(`${file} may not import ${imported}`, async () => {
      const found = await violations(file, imported)
      assert.ok(found.includes(reason), `expected ${reason}, got ${found.join(', ') || 'no error'}`)
    })
  }

  for (const [file, imported] of allowed) {
    it(`${file} may import ${imported}`, async () => {
      assert.deepEqual(await violations(file, imported), [])
    })
  }
})
