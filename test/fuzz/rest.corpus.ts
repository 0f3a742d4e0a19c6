/** The id of a dead letter that is there. */
export const FUZZED_LETTER = '7d793037-a076-5d0a-8f0c-0f5f4a1e6a11'

/** Bodies that some route of the REST API takes. */
export const bodies: readonly unknown[] = [
  { 'connector.class': 'FileStreamSource', topic: 't', file: '/x' },
  { name: 'a', config: { 'connector.class': 'FileStreamSource', topic: 't' } },
  { name: 'b', config: { 'connector.class': 'FileStreamSource', topic: 't' }, initial_state: 'STOPPED' },
  {
    'connector.class': 'FileStreamSource',
    topic: 't',
    transforms: 'x,y',
    'transforms.x.type': 'none',
    predicates: 'p',
    'topic.creation.groups': 'g',
    'topic.creation.g.include': 'a.*',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'producer.override.linger.ms': 5,
    'tasks.max': '3 # three',
    'errors.tolerance': 'all',
  },
  { 'batch.size': 10, topic: null },
  { offsets: [{ partition: { filename: '/x' }, offset: { position: 5 } }, { partition: { filename: '/y' } }] },
  { level: 'DEBUG' },
  { version: 1 },
  { version: 2, config: { password: 'x' } },
  { name: 'ci', grants: 'viewer, operator:orders-*', days: 30 },
  { dlq_ids: [FUZZED_LETTER], resolution_notes: 'n', retry_strategy: 'immediate' },
  { connector: 'a', error_type: 'POISON_PILL,UNKNOWN', limit: 1000, dry_run: true, force: true },
  {
    status: ['UNRESOLVED', 'IGNORED'],
    start_date: '2026-01-31',
    end_date: 1_700_000_000_000,
    text: 'x',
    retry_strategy: 'rate_limited',
    rate: 0.5,
    scheduled_time: '2031-01-01T00:00:00Z',
    target_topic: 't',
    transform_rules: [
      { field: 'a.b[0]', operation: 'cast', value: 'int' },
      { field: '$', operation: 'replace', value: {} },
    ],
  },
]

/** Values of parameters in paths. */
export const names: readonly string[] = [
  ...['a', 'b', 'none', 'a b', 'ü/€', '__proto__', 'constructor', '..', '%', '*'],
  ...['0', '2147483648', '-1', 'FileStreamSource', 'org.apache.kafka.connect.file.FileStreamSourceConnector', 'root'],
  FUZZED_LETTER,
]

export const queries: readonly string[] = [
  ...['', '', '', '?', '?expand=info&expand=status', '?connectorsOnly=false', '?scope=cluster', '?pattern=*a*'],
  ...['?plan=true', '?plan=', '?limit=2&before=3', '?from=0&to=current', '?from=1&to=2'],
  ...['?status=PENDING&limit=1&offset=1&table=t', '?error_type=x', '?start_date=2026-01-31&cursor=1&text=x'],
  ...['?includeTasks=true&onlyFailed=true', '?name=a', '?%zz', '?__proto__=1', '?a=1&a=2', `?${'*'.repeat(200)}`],
]

/** Headers of clients, of browsers on other sites, and of nobody. */
export const headers: readonly (readonly [name: string, value: string])[] = [
  ['accept', 'application/json'],
  ['accept', 'text/html, */*;q=0.1'],
  ['accept', ','.repeat(2000)],
  ['content-type', 'application/json; charset=utf-8'],
  ['content-type', 'text/plain'],
  ['content-type', ';'],
  ['origin', 'http://evil.example'],
  ['origin', 'null'],
  ['sec-fetch-site', 'cross-site'],
  ['host', 'evil.example'],
  ['host', '[::1]:8083'],
  ['authorization', 'Basic Og=='],
  ['authorization', 'Bearer e30.e30.'],
  ['x-forwarded-for', '1.2.3.4, 5.6.7.8'],
  ['x-forwarded-host', 'evil.example'],
  ['x-tributary-forwarded', '1'],
  ['expect', '100-continue'],
  ['te', 'trailers'],
  ['access-control-request-method', 'PUT'],
  ['cookie', 'a=b'],
]

const JSON_BODY = '{"connector.class":"FileStreamSource","topic":"t"}'
const HEAD = 'host: localhost\r\ncontent-type: application/json\r\n'

/** Whole requests as bytes. */
export const messages: readonly string[] = [
  'GET /connectors HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'HEAD /connectors/a/status HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx',
  `PUT /connectors/a/config HTTP/1.1\r\n${HEAD}content-length: ${JSON_BODY.length}\r\n\r\n${JSON_BODY}`,
  `PUT /connectors/a/config HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\n${JSON_BODY.length.toString(16)};x=y\r\n${JSON_BODY}\r\n0\r\nx: y\r\n\r\n`,
  `POST /connectors/a/restart HTTP/1.1\r\n${HEAD}expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}`,
  `GET /connectors/a HTTP/1.1\r\nhost: localhost\r\n\r\nDELETE /connectors/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\nhost: localhost\r\norigin: http://a\r\naccess-control-request-method: PUT\r\n\r\n`,
  `GET http://evil.example/connectors HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
  `POST /connectors HTTP/1.1\r\n${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n',
]
