/** Messages, settings, rules and templates from which the fuzzer of the WebSocket source makes its inputs. */

export const messages: readonly string[] = [
  '{"e":"trade","E":1732190000123,"s":"BTCUSDT","t":12345678901234567890,"p":"97512.10","q":0.0015,"m":false}',
  '[{"ev":"T","sym":"A","p":1.10,"t":1732190000123},{"ev":"Q","sym":"B/\\"C\\"","bp":-2e-7}]',
  '{"data":[{"id":1,"x":[[1,2],[3,[4]]]},"text, with ] and \\\\",null,true,{"a":{"b":[5]}}],"ts":"2024-11-21T12:30:15.5Z"}',
  '{"a":{"b":[1,2.50,{"c":"\\u0061\\n"}],"b2":[]},"data":{"0":[7]},"":[8],"a.b":[9]}',
  '{"type":"heartbeat"}',
  '[[],[[]],{},"",0]',
  '"pong"',
  '12',
]

export const paths: readonly string[] = [
  '$',
  'data',
  'data.0',
  'data.0.x',
  'a.b',
  '$.a.b2',
  'a\\.b',
  '0',
  '1.0',
  'data.4.a.b',
]

export const rules: readonly string[] = [
  'type == heartbeat',
  'e == "trade" && s != BTCUSDT',
  "data.0.id == 1 || ev == 'T' && !m",
  '!type',
  'a.b.2.c',
  '/^pong$/i || /"type":"(heart|drum)beat"/',
  'p == 97512.10 && t == 12345678901234567890',
  'x == null',
]

export const templates: readonly string[] = [
  'trades.{{s}}',
  '{{ data.0.id }}-{{$.ts}}',
  '{"op":"auth","args":["{{timestamp.ms}}","{{signature}}"]}',
  '{{s}}{{s}}.{{a.b.0}}',
  'plain',
  '{"a":{"b":{}}}',
]

export const settings: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'key.field': 's', 'timestamp.field': 'E', 'topic.template': 'trades.{{s}}' },
  { 'split.field': '$', 'key.field': 'sym', 'record.skip.match': 'ev == "Q"', 'timestamp.field': 't' },
  { 'split.field': 'data', 'key.field': '$.ts', 'timestamp.field': '$.ts', 'record.headers': 'received_at,connection' },
  { 'split.field': 'a.b', 'topic.template': '{{c}}', 'topic.template.max.topics': '1' },
  { 'websocket.binary.decode': 'gzip', 'key.field': 'e' },
  { 'websocket.binary.decode': 'deflate' },
  { 'websocket.binary.decode': 'text', 'websocket.utf8.validation': 'false', 'split.field': '$' },
  { 'timestamp.field': 'q', 'timestamp.unit': 's' },
]
