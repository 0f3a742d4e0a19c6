/**
 * Who may import what, as data: the import table of the architecture. A project is known by the tag of its own name in
 * its package.json (`nx.tags`). `test/` is no project, as tests may import anything.
 */

const source = [
  'lib:connect-runtime',
  'lib:service',
  'lib:push-source',
  'lib:connect-api',
  'lib:config',
  'lib:telemetry',
]

/** Project → the projects of ours that it may import. Apps are in no list: nobody imports an app. */
const internal = {
  'lib:async': [],
  'lib:config': [],
  'lib:telemetry': [],
  'lib:harness': [],
  'lib:connect-api': ['lib:config', 'lib:telemetry'],
  // JSON that keeps integers above 2^53 has one home, config.
  'lib:converters': ['lib:connect-api', 'lib:config'],
  'lib:transforms': ['lib:connect-api'],
  'lib:testkit': ['lib:connect-api'],
  'lib:push-source': ['lib:connect-api', 'lib:config', 'lib:telemetry'],
  'lib:kafka': ['lib:config', 'lib:telemetry'],
  'lib:kafka-producer': ['lib:config', 'lib:telemetry'],
  // Its stores hold specs of config and are given a Logger.
  'lib:connect-storage': ['lib:kafka', 'lib:kafka-producer', 'lib:connect-api', 'lib:config', 'lib:telemetry'],
  'lib:connect-runtime': [
    'lib:connect-storage',
    'lib:converters',
    'lib:transforms',
    'lib:connect-api',
    'lib:kafka',
    'lib:kafka-producer',
    'lib:config',
    'lib:telemetry',
  ],
  'lib:service': ['lib:config', 'lib:telemetry'],
  'app:control-plane': [
    'lib:connect-storage',
    'lib:kafka',
    'lib:service',
    'lib:connect-api',
    'lib:config',
    'lib:telemetry',
  ],
  'app:demo-feed': ['lib:service', 'lib:config', 'lib:telemetry'],
  'app:grpc-ingest': source,
  'app:ws-ingest': source,
  deploy: ['lib'],
}

/** External package → the only projects that may import it. The rule reads a name as a regular expression. */
const external = {
  kafkajs: ['lib:kafka', 'lib:kafka-producer'],
  '@platformatic/*': ['lib:kafka', 'lib:kafka-producer'],
  '@grpc/*': ['app:grpc-ingest', 'app:demo-feed'],
  protobufjs: ['app:grpc-ingest', 'app:demo-feed'],
  ws: ['app:ws-ingest', 'app:demo-feed'],
  '@aws-sdk/*': ['app:demo-feed'],
  pino: ['lib:telemetry'],
  '@opentelemetry/api': ['lib:telemetry', 'lib:service', 'lib:connect-runtime'],
  '@opentelemetry/(?!api)*': ['lib:service'],
  fastify: ['lib:service', 'app:control-plane'],
  '@fastify/*': ['lib:service', 'app:control-plane'],
}

/** A name without a wildcard stands for the package's sub-paths too. */
const withSubPaths = (name) => (name.endsWith('*') ? [name] : [name, `${name}/*`])

const bannedFor = (project) =>
  Object.entries(external).flatMap(([name, owners]) => (owners.includes(project) ? [] : withSubPaths(name)))

/** A project that may import connect-api may use the testkit in its tests. */
const withTestkit = (allowed) => (allowed.includes('lib:connect-api') ? [...allowed, 'lib:testkit'] : allowed)

/** How to wait is everybody's business, and depends on nothing. */
const withAsync = (allowed) => [...allowed, 'lib:async']

const constraints = (widen) =>
  Object.entries(internal).map(([project, allowed]) => ({
    sourceTag: project,
    onlyDependOnLibsWithTags: project === 'lib:async' ? [] : withAsync(widen(allowed)),
    bannedExternalImports: bannedFor(project),
  }))

const rule = (widen) => [
  'error',
  {
    banTransitiveDependencies: true,
    depConstraints: constraints(widen),
    allow: [],
    enforceBuildableLibDependency: false,
  },
]

export const boundaries = rule((allowed) => allowed)
export const boundariesOfTests = rule(withTestkit)
