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
  // All but connect-api for the sub-path `kafka` alone, which runs tasks in the runtime; eslint.config.mjs says so.
  'lib:testkit': [
    'lib:connect-api',
    'lib:connect-runtime',
    'lib:connect-storage',
    'lib:kafka',
    'lib:harness',
    'lib:telemetry',
  ],
  'lib:push-source': ['lib:connect-api', 'lib:config', 'lib:telemetry'],
