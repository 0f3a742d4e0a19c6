import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from './create-logger.ts'
import { LoggerLevels, parseLevel } from './levels.ts'
import { formatLine } from './logfmt.ts'
import type { LogFields, Logger } from './logger.ts'
import { hideSecrets } from './redaction/redaction.ts'

function setup(name = 'io.tributary.x'): { log: Logger; lines: string[]; levels: LoggerLevels } {
  const lines: string[] = []
  const levels = new LoggerLevels()
  const log = createLogger({ name, levels, fields: { connector_name: 'c' }, stream: { write: (l) => lines.push(l) } })
  return { log, lines, levels }
}

const format = (fields: LogFields, level: 'info' | 'error' = 'info'): string =>
  formatLine({ time: Date.UTC(2026, 0, 2, 3, 4, 5, 678), level, name: 'io.tributary.x', event: 'name', fields })

test('a line has time, padded level, logger, event, and then the fields', () => {
  assert.equal(format({ key: 'value' }), '2026-01-02T03:04:05.678Z INFO  io.tributary.x event=name key=value\n')
})

test('values are quoted only when necessary, and undefined values are left out', () => {
  const fields = {
    a: '',
    b: 'x y',
    c: 'k=v',
    d: 'q"',
    e: 1n,
    f: null,
    g: undefined,
    h: true,
    i: 'a:b/c,[d]',
    j: 'tab\t',
  }
  assert.match(format(fields), / a="" b="x y" c="k=v" d="q\\"" e=1 f=null h=true i=a:b\/c,\[d\] j="tab\\t"\n$/)
})

test('a value cannot forge a line or a field', () => {
  const line = format({ a: 'x\n2026 ERROR y', b: '\u2028\u0085\u001b[31m', 'c d=': 'e' })
  assert.equal(line.split('\n').length, 2)
  assert.match(line, / a="x\\n2026 ERROR y" b="\\u2028\\u0085\\u001b\[31m" c_d_=e\n$/)
})

test('objects are JSON, bytes are counted, long values are cut, and unprintable values are marked', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  const secret = { toJSON: () => '[hidden]' }
  const line = format({ a: { b: 1n, secret }, c: new Uint8Array(3), d: 'x'.repeat(5000), loop, secret, f: () => 1 })
  assert.match(
    line,
    / a="{\\"b\\":\\"1\\",\\"secret\\":\\"\[hidden\]\\"}" c="<3 bytes>" d=x{4096}… loop="<unprintable: /,
  )
  assert.match(line, / secret=\[hidden\] f=<function>\n$/)
})

test('an error is its message, its code and its causes; at level error its stack follows', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const error = Object.assign(new Error('connect failed', { cause }), { code: 'GRPC_CONNECT' })
  const head = ' error="connect failed" error_code=GRPC_CONNECT error_cause="Error [ECONNREFUSED]: refused"\n'
  assert.ok(format({ error }).endsWith(head))
  const lines = format({ error }, 'error').split('\n')
  assert.equal(lines[1], '\tError [GRPC_CONNECT]: connect failed')
  assert.match(lines[2]!, /^\t {4}at /)
  assert.ok(lines.includes('\tCaused by: Error [ECONNREFUSED]: refused'))
})

test('a loop of causes ends', () => {
  const error = new Error('a')
  error.cause = new Error('b', { cause: error })
  assert.match(format({ error }), / error=a error_cause="Error: b"\n$/)
})

test('a logger takes the level of the nearest logger above that has one', () => {
  const { log, lines, levels } = setup()
  const child = log.child({ task: 0 }, 'io.tributary.x.task')
  log.debug('no')
  levels.set('io.tributary', 'debug')
  log.debug('a')
  child.debug('b', { n: 1 })
  levels.set('io.tributary.x.task', 'off')
  child.error('no')
  log.debug('c')
  assert.deepEqual(
    lines.map((l) => l.slice(25).trim()),
    [
      'DEBUG io.tributary.x event=a connector_name=c',
      'DEBUG io.tributary.x.task event=b connector_name=c task=0 n=1',
      'DEBUG io.tributary.x event=c connector_name=c',
    ],
  )
})

test('setting a level also sets the loggers below that have one, and returns their names', () => {
  const levels = new LoggerLevels()
  levels.set('a.b', 'info', 1)
  levels.set('a.bc', 'info', 1)
  assert.deepEqual(levels.set('a.b.c', 'debug', 2), ['a.b.c'])
  assert.deepEqual(levels.set('a.b', 'warn', 3), ['a.b', 'a.b.c'])
  assert.deepEqual(levels.set('ROOT', 'error', 4), ['a.b', 'a.b.c', 'a.bc', 'root'])
  assert.deepEqual(levels.get('a.b.c'), { level: 'ERROR', last_modified: 4 })
  assert.equal(levels.get('a'), null)
})

test('the root logger is listed with the level of the start, unchanged', () => {
  const levels = new LoggerLevels()
  levels.init('root', 'warn')
  assert.deepEqual(levels.all(), { root: { level: 'WARN', last_modified: null } })
  assert.equal(levels.effective('any.thing'), 'warn')
})

test('the names of levels ignore case', () => {
  assert.equal(parseLevel('Debug'), 'debug')
  assert.equal(parseLevel('OFF'), 'off')
  assert.equal(parseLevel('BOGUS'), null)
  assert.equal(parseLevel('constructor'), null)
})

test('every logger leaves out what is hidden, until it is no longer', () => {
  const { log, lines } = setup()
  const end = hideSecrets(['s3cret'])
  log.error('failed', { error: new Error('login with s3cret refused') })
  end()
  log.info('after', { v: 's3cret' })
  assert.ok(!lines[0]!.includes('s3cret'))
  assert.ok(lines[0]!.includes('login with [hidden] refused'))
  assert.ok(lines[1]!.includes('s3cret'))
})

test('levels of any number of loggers do not grow without bound, and that of root stays', () => {
  const levels = new LoggerLevels()
  for (let i = 0; i < 6000; i++) levels.set(`noise.${i}`, 'debug')
  assert.equal(Object.keys(levels.all()).length, 5000)
  assert.equal(levels.get('root')?.level, 'INFO')
  assert.equal(levels.get('noise.5999')?.level, 'DEBUG')
  assert.equal(levels.get('noise.0'), null)
})
