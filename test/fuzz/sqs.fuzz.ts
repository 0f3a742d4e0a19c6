import assert from 'node:assert/strict'
import type { S3Client } from '@aws-sdk/client-s3'
import { ConnectError, DataError, parseConfig } from '@tributary/connect-api'
import { createConverter } from '../../apps/sqs-ingest/src/convert/converter.ts'
import { decompress, type DecompressOptions, type Format } from '../../apps/sqs-ingest/src/convert/decompress.ts'
import { InflateError } from '../../apps/sqs-ingest/src/convert/inflate.ts'
import { type FilterPolicy, parsePolicy, type PolicyScope } from '../../apps/sqs-ingest/src/filter/policy.ts'
import { compactJson, duplicateKey, findSpan } from '../../apps/sqs-ingest/src/json/json-text.ts'
import type { SqsMessage } from '../../apps/sqs-ingest/src/message.ts'
import { sqsSpec } from '../../apps/sqs-ingest/src/settings/spec.ts'
import {
  fuzzTargets,
  mutateBytes,
  mutateJson,
  mutateText,
  type Progress,
  type Random,
  type Report,
  type Stage,
  type Target,
} from './driver.ts'
import { bodies, conversions, plain, policies, policiesOnBodies, streams } from './sqs.corpus.ts'

interface Policy {
  readonly text: string
  readonly scope: PolicyScope
  readonly values: Readonly<Record<string, string>>
  readonly body: string
}

const TEXTS = ['order', 'ORDER', 'pay', '', '1', '1.0', '10.0.0.7', '2001:db8::1', 'ordr', 'x', '99.5', 'a']

/**
 * Filter policies: a clear error, or an answer for every message. The answer is the same for attributes and for a body with the same
 * strings, `anything-but` is the opposite of its values, and one more alternative never excludes a message.
 */
export function policyTarget(parse: typeof parsePolicy = parsePolicy): Target<Policy> {
  return {
    name: 'policy',
    generate(random) {
      const scope = random.chance(0.7) ? 'MessageAttributes' : 'MessageBody'
      const policy = random.pick(scope === 'MessageBody' ? policiesOnBodies : policies)
      const text = JSON.stringify(random.chance(0.5) ? mutateJson(random, policy) : policy) ?? 'null'
      const names = ['type', 'price', 'tags', 'ip'].filter(() => random.chance(0.7))
      return {
        text: random.chance(0.1) ? mutateText(random, text) : text,
        scope,
        values: Object.fromEntries(names.map((name) => [name, random.pick(TEXTS)])),
        body: random.pick(bodies),
      }
    },
    run({ text, scope, values, body }) {
      const compile = (policy: string, of = scope): FilterPolicy =>
        parse(policy, { scope: of, key: 'k', quotas: false })
      return refusing('SQS_FILTER_POLICY', () => {
        const matched = compile(text)
        const message = { body, attributes: attributesOf(values) }
        const answer = matched.matches(message)
        assert.equal(typeof answer, 'boolean')
        const either = `{"$or":[${text},{"other":["x"]}]}`
        if (answer && text !== '{}')
          assert.ok(compile(either).matches(message), 'one more alternative excludes the message')
        for (const [name, value] of Object.entries(values)) {
          const but = compile(JSON.stringify({ [name]: [{ 'anything-but': [value] }] }), 'MessageAttributes')
          assert.equal(but.matches(message), false, 'anything-but does not exclude its value')
        }
      })
    },
    show: ({ text, scope, values, body }) => `${scope} ${text} on ${JSON.stringify(values)} and ${body}`,
  }
}

function attributesOf(values: Readonly<Record<string, string>>): SqsMessage['attributes'] {
  const entries = Object.entries(values).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }])
  return Object.fromEntries(entries) as SqsMessage['attributes']
}

interface Lookup {
  readonly text: string
  readonly path: readonly string[]
}

/** JSON as text: places, white space and keys that come twice, compared with what the parser says. */
export function jsonTextTarget(find: typeof findSpan = findSpan): Target<Lookup> {
  return {
    name: 'json-text',
    generate(random) {
      const body = random.pick(bodies)
      const text = random.chance(0.3) ? mutateText(random, body) : body
      const names = ['detail', 'data', 'a b', 'Message', 'n', '10', '', 'type', 'Records']
      return { text, path: Array.from({ length: 1 + random.int(3) }, () => random.pick(names)) }
    },
    run({ text, path }) {
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return 'refused'
      }
      const span = find(text, path)
      const found = path.reduce((object, name) => (isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined), value) // prettier-ignore
      assert.equal(span === null, found === undefined)
      if (span !== null) assert.deepEqual(JSON.parse(text.slice(span.start, span.end)), found)
      const compact = compactJson(text)
      assert.deepEqual(JSON.parse(compact), value)
      duplicateKey(text)
      assert.equal(duplicateKey(JSON.stringify(value)), null)
      assert.equal(compactJson(compact), compact)
      return 'past'
    },
    show: ({ text, path }) => `${path.join('.')} of ${text}`,
  }
}

interface Compressed {
  readonly data: Buffer
  readonly whole: boolean
  readonly options: DecompressOptions
}

/** Decompression: an error, or data within the limit. Data that is whole comes back whole. */
export const inflateTarget: Target<Compressed> = {
  name: 'inflate',
  generate(random) {
    const format = random.pick(Object.keys(streams) as (keyof typeof streams)[])
    const whole = random.chance(0.5)
    const data = whole ? streams[format] : Buffer.from(mutateBytes(random, new Uint8Array(streams[format])))
    const options = { format: random.chance(0.3) && format !== 'DEFLATE' ? ('AUTO' as Format) : format, base64: random.chance(0.5), maxBytes: random.pick([plain.length, 1 << 20]) } // prettier-ignore
    return { data, whole, options }
  },
  async run({ data, whole, options }) {
    for (const content of [data, ...(options.base64 ? [data.toString('base64')] : [])]) {
      try {
        const result = await decompress(content, options)
        assert.ok(result === content || result.length <= options.maxBytes, 'more than the limit')
        if (whole) assert.deepEqual(result, plain)
      } catch (error) {
        if (!(error instanceof InflateError) || whole) throw error
        return 'refused'
      }
    }
    return 'past'
  },
  show: ({ data, options }) => `${JSON.stringify(options)} ${data.toString('base64')}`,
}

interface Conversion {
  readonly config: Readonly<Record<string, string>>
  readonly body: string
}

const OBJECTS = ['{"a":1}', streams.GZIP, Buffer.from([0xff, 0]), 's3://b/object', '']
/** Stands for S3, which the fuzzer has no time for: every key is one of the objects. */
const s3 = {
  send: ({ input: { Key = '' } }: { input: { Key?: string } }) => {
    const body = Buffer.from(OBJECTS[Key.length % OBJECTS.length]!)
    return Promise.resolve({ ContentLength: body.length, Body: [body] })
  },
} as unknown as S3Client

const converters = new Map(
  conversions.map((config) => {
    const settings = parseConfig(sqsSpec, { 'sqs.queue.url': 'http://q/1/q', 'kafka.topic': 't', ...config })
    return [config, createConverter(settings, { s3: () => Promise.resolve(s3) })]
  }),
)

/** Conversion of any body under any settings: a value, or a data error. */
export const conversionTarget: Target<Conversion> = {
  name: 'conversion',
  generate: (random) => ({ config: random.pick(conversions), body: mutatedBody(random) }),
  async run({ config, body }) {
    const converter = converters.get(config)!
    const message = { body, attributes: {} } as SqsMessage
    try {
      const { value } = await converter.convert(message, new AbortController().signal)
      assert.ok(typeof value === 'string' || Buffer.isBuffer(value))
      if (Object.keys(config).length === 0) assert.equal(value, body)
      return 'past'
    } catch (error) {
      if (error instanceof DataError) return 'refused'
      throw error
    }
  },
  show: ({ config, body }) => `${JSON.stringify(config)} ${body}`,
}

function mutatedBody(random: Random): string {
  const body = random.pick(bodies)
  if (random.chance(0.4)) return body
  if (random.chance(0.5) || !/^[{[]/.test(body)) return mutateText(random, body)
  return JSON.stringify(mutateJson(random, JSON.parse(body))) ?? 'null'
}

/** Runs `iterations` inputs over all targets of the SQS source. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([policyTarget(), jsonTextTarget(), inflateTarget, conversionTarget], iterations, seed, {
    ...(progress && { progress }),
  })
}

/** An error with the code is a refusal; any other error is a finding. */
function refusing(code: string, run: () => void): Stage {
  try {
    run()
    return 'past'
  } catch (error) {
    if (error instanceof ConnectError && error.code === code) return 'refused'
    throw error
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
