/**
 * The layers of the architecture: who may import what. A new app needs no row, because its row follows from the `kind` in its
 * own package.json. A new library gets a row in `libraries`, and a place in the rows of those that may import it.
 */

/** Library → the libraries that its code may import. */
export const libraries: Readonly<Record<string, readonly string[]>> = {
  async: [],
  config: [],
  telemetry: [],
  harness: [],
  'connect-api': ['config', 'telemetry'],
  // JSON that keeps integers above 2^53 has one home, config.
  converters: ['schema-registry', 'connect-api', 'config'],
  'schema-registry': ['connect-api', 'config'],
  transforms: ['connect-api', 'config'],
  // All but connect-api for the sub-path `kafka` alone, which runs tasks in the runtime.
  testkit: ['connect-api', 'connect-runtime', 'connect-storage', 'kafka', 'harness', 'telemetry'],
  'push-source': ['connect-api', 'config', 'telemetry'],
  kafka: ['config', 'telemetry'],
  // The producer uses the connections of kafka's sub-path `client` alone.
  'kafka-producer': ['kafka', 'connect-api', 'config', 'telemetry'],
  'connect-storage': ['kafka', 'kafka-producer', 'connect-api', 'config', 'telemetry'],
  'connect-runtime': [
    'connect-storage',
    'converters',
    'transforms',
    'connect-api',
    'kafka',
    'kafka-producer',
    'config',
    'telemetry',
  ],
  service: ['config', 'telemetry'],
  'dead-letters': ['connect-storage', 'kafka', 'connect-api', 'config', 'telemetry'],
}

/** `tributary.kind` of an app → the libraries that its code may import. No project may import an app. */
export const kinds: Readonly<Record<string, readonly string[]>> = {
  /** Brings records from outside into Kafka. */
  source: [
    'connect-runtime',
    'service',
    'push-source',
    'converters',
    'schema-registry',
    'connect-api',
    'config',
    'telemetry',
  ],
  /** Serves operators, and moves no records. */
  service: ['dead-letters', 'connect-storage', 'kafka', 'service', 'connect-api', 'config', 'telemetry'],
  /** Runs for the demo and the tests only. */
  demo: ['service', 'config', 'telemetry'],
  /** A program that people run, and that asks the services over the network alone. */
  tool: ['config'],
}

/** The programs in deploy/ may import every library. */
export const deploy: readonly string[] = Object.keys(libraries)

/** Libraries that every project may import, on top of its row: they import nothing themselves. */
export const forAll: readonly string[] = ['async']

/** Libraries that only the tests of apps may import, on top of their project's row. */
export const forTests: readonly string[] = ['testkit']

/**
 * External package → the only projects that may import it: libraries by name, apps by kind, `app` for any app. `/*` at the end
 * stands for a whole scope. A package that an app lists in its own package.json and that has no row here serves that app's
 * protocol: any app may list it, and nothing else may.
 */
export const reserved: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['kafka', 'kafka-producer'],
  '@platformatic/*': ['kafka', 'kafka-producer'],
  '@grpc/*': ['app'],
  '@aws-sdk/*': ['app'],
  // One engine of regular expressions, with one syntax and one set of bounds: compilePattern.
  re2js: ['config'],
  // Converters load it when a record needs it first.
  protobufjs: ['converters', 'app'],
  pino: ['telemetry'],
  '@opentelemetry/api': ['service', 'connect-runtime'],
  '@opentelemetry/*': ['service'],
  fastify: ['service', 'kind service'],
  '@fastify/*': ['service', 'kind service'],
}
