import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { workspaceRoot } from './workspace.ts'

const FIXTURE = join(workspaceRoot, 'test/fixtures/start/loaded-modules.fixture.ts')

/** Packages that a service without a task must not load, as each takes 2 to 25 MiB. docs/decisions/64-compile-cache-and-heap.md. */
const LATE = [
  '@opentelemetry/core',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-node',
  '@platformatic/kafka',
  '@platformatic/wasm-utils',
  'ajv',
  'kafkajs',
  'protobufjs',
]
/** `import 'node:http'` loads this part of Node. */
const UNDICI = 'NativeModule internal/deps/undici/undici'

interface Loaded {
  readonly loaded: readonly string[]
  /** `NativeModule http` and the like. */
  readonly builtins: readonly string[]
}

/** What the service has loaded when it listens. Kafka is not there. */
async function loadedBy(app: string): Promise<Loaded> {
  const child = spawn(process.execPath, ['--import', FIXTURE, join(workspaceRoot, `apps/${app}/src/main.ts`)], {
    env: { ...process.env, KAFKA_BROKERS: '127.0.0.1:1', OTEL_EXPORTER_OTLP_ENDPOINT: '', TRIBUTARY_PARENT_WATCH: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('event=service_started')) child.kill('SIGUSR2')
      if (line.startsWith('loaded=')) return JSON.parse(line.slice('loaded='.length)) as Loaded
    }
    throw new Error(`${app} ended before it listened`)
  } finally {
    child.kill('SIGKILL')
  }
}

for (const app of ['control-plane', 'grpc-ingest', 'sse-ingest', 'ws-ingest']) {
  test(`${app} without a task loads nothing that only others need`, async () => {
    const { loaded, builtins } = await loadedBy(app)
    assert.ok(loaded.some((url) => url.includes('/libs/kafka/src/')))
    const early = LATE.filter((name) => loaded.some((url) => url.includes(`/node_modules/${name}/`)))
    assert.deepEqual(early, [])
    assert.ok(!builtins.includes(UNDICI), 'something imports node:http; take process.getBuiltinModule')
  })
}
