import type { Stage } from './stage.ts'

/** In the order in which they run: stages that are quick, and whose failures are easy to repair, come first. */
export const stages: readonly Stage[] = [
  { name: 'lint', command: ['oxlint'], timeoutMin: 2 },
  { name: 'format', command: ['prettier', '--check', '--log-level=warn', '.'], timeoutMin: 2 },
  { name: 'types', command: ['tsc', '-p', '.'], timeoutMin: 3 },
  unit('unit', ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'deploy/**/*.test.ts'], 3),
  unit('workspace', ['test/workspace/**/*.test.ts'], 5),
  unit('fuzz', ['test/fuzz/**/*.test.ts'], 4),
  // With two cores, more than two files at a time make a test wait for the JVMs of other tests.
  withKafka('integration', 2, 20, ['apps/*/test/**/*.test.ts']),
  withKafka('conformance', 2, 14),
  // Tests that kill processes and wait for leases to expire must not share the machine.
  withKafka('crash', 1, 20),
  withKafka('e2e', 1, 8),
]

function unit(name: string, files: readonly string[], timeoutMin: number): Stage {
  return { name, files, concurrency: 2, kafka: false, timeoutMin }
}

function withKafka(name: string, concurrency: number, timeoutMin: number, more: readonly string[] = []): Stage {
  return { name, files: [`test/${name}/**/*.test.ts`, ...more], concurrency, kafka: true, timeoutMin }
}
