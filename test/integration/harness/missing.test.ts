import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './bare-machine.ts'

const failureWith = (programs: Readonly<Record<string, string>>): string => failureOf({ name: 'startKafka' }, programs)

test('without Docker and Java the error says so in one sentence', () => {
  assert.match(
    failureWith({}),
    /^HarnessError: Java is needed to run Kafka and `java` was not found: .*KAFKA_BROKERS.*\.\n$/,
  )
})

test('a Docker client without an engine does not count as Docker', () => {
  assert.match(failureWith({ docker: 'echo' }), /^HarnessError: Java is needed/)
})

test('the error for a Java older than 17 names its version', () => {
  for (const [line, version] of [
    ['openjdk version "11.0.22" 2024-01-16', '11'],
    ['java version "1.8.0_402"', '8'],
  ]) {
    assert.match(failureWith({ java: `echo '${line}' >&2` }), new RegExp(`^HarnessError: Java ${version} is too old`))
  }
})
