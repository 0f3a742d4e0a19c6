import { defineConfig } from '@tributary/config'

/** The value of every secret setting. It must never be in an answer. */
export const CANARY = 'canary-8d1f'

const base = { importance: 'low', doc: 'A setting of the fuzzed spec.' } as const

/** Uses every type, validator and rule that a spec can have. */
export const spec = defineConfig(
  {
    host: { ...base, type: 'string', validator: { kind: 'nonEmpty' } },
    port: { ...base, type: 'int', validator: { kind: 'range', min: 1, max: 65_535 } },
    topic: { ...base, type: 'string', validator: { kind: 'topicName' } },
    name: { ...base, type: 'string', default: 'n', validator: { kind: 'nameText' } },
    'tasks.max': { ...base, type: 'int', default: 1, validator: { kind: 'range', min: 1, rejectNull: true } },
    'interval.ms': { ...base, type: 'long', default: 5000, validator: { kind: 'range', min: 0 }, stripComment: true },
    ratio: { ...base, type: 'double', default: 0.5 },
    enabled: { ...base, type: 'boolean', default: false },
    tags: { ...base, type: 'list', default: [], validator: { kind: 'oneOf', values: ['a', 'b', 'c'] } },
    mode: {
      ...base,
      type: 'string',
      default: 'none',
      validator: { kind: 'oneOf', values: ['none', 'all'], ignoreCase: true },
    },
    converter: {
      ...base,
      type: 'class',
      default: null,
      validator: { kind: 'knownClass', names: ['org.x.StringConverter'] },
    },
    url: { ...base, type: 'string', default: null, validator: { kind: 'url', schemes: ['ws', 'wss'] } },
    request: { ...base, type: 'string', default: '{}', validator: { kind: 'json', shape: 'object' } },
    metadata: { ...base, type: 'string', default: null, sensitive: true, validator: { kind: 'keyValueList' } },
    password: {
      ...base,
      type: 'password',
      default: null,
      validator: { kind: 'pattern', regex: '^[^ ]*$', message: 'no spaces' },
    },
    cert: { ...base, type: 'string', default: null },
    key: { ...base, type: 'string', default: null, sensitive: true },
  },
  {
    prefixes: { 'metadata.': { ...base, suffix: '[a-z0-9_.-]+', sensitive: true } },
    rules: [
      { rule: 'requires', key: 'cert', needs: ['key'] },
      { rule: 'requires', key: 'key', needs: ['cert'] },
      { rule: 'requiredWhen', key: 'url', when: 'mode', equals: ['push'] },
      { rule: 'visibleWhen', key: 'url', when: 'mode', equals: ['all'] },
      { rule: 'atMostOneOf', keys: ['metadata', 'url'] },
    ],
  },
)

const minimal = { host: 'localhost', port: '9090', topic: 'events' }

/** Valid settings. A secret is exactly the canary, so a mutation either keeps the canary or makes it another text. */
export const corpus: readonly Readonly<Record<string, string>>[] = [
  minimal,
  {
    ...minimal,
    name: 'a connector',
    'tasks.max': '3',
    'interval.ms': '-0 # at once',
    ratio: '1e-3',
    enabled: 'TRUE',
    tags: 'a, b',
  },
  {
    ...minimal,
    mode: 'ALL',
    url: 'wss://h:1/x?y=z',
    converter: 'org.x.StringConverter',
    request: '{"filter":{"ids":[1,2]}}',
  },
  { ...minimal, metadata: `authorization:"Bearer ${CANARY}",x-id:1`, password: CANARY, cert: '/c.pem', key: CANARY },
  { ...minimal, 'metadata.authorization': CANARY, 'metadata.x-id': CANARY, password: '${file:/s.properties:p}' },
]

export const jsonCorpus: readonly string[] = [
  '{"name":"x","config":{"connector.class":"io.x.Y","tasks.max":3,"port":"443","flag":true},"initial_state":"PAUSED"}',
  '{"offsets":[{"partition":{"grpc_server":"h:1"},"offset":{"session_id":"s","sequence":9223372036854775807,"resume":-12345678901234567890}}]}',
  '["connector",{"grpc_method":"a/b","grpc_server":"h:1"}]',
  '{"properties":{"a":"1","b":"\\u00e9\\n\\"q\\""},"state.v2":"STOPPED","n":[1.50,1e3,-0.0,0]}',
  '{"tasks":10}',
  'null',
]

export const propertiesCorpus: readonly string[] = [
  '# secrets\napi.token = s3cr3t\nclient.key.path=/etc/k.pem\n',
  'a\\ b : c\\\n   d\n!x\ne\\u00e9=\\t\\\\\r\nf',
  'url=jdbc:x://h/${env:DB}?a=b\nk=${vault:path:key}\n',
]

export const listCorpus: readonly string[] = ['a:1,b:2', 'authorization:"Bearer a,b", x-id : 7 ,', 'k:v:w, q:"\\"\\\\"']
