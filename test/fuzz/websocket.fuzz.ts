import assert from 'node:assert/strict'
import { ConfigError, DataError, parseConfig, type SourceRecord } from '@tributary/connect-api'
import { Message, messageDecoder } from '../../apps/ws-ingest/src/message/message.ts'
import { compilePath, elementTexts, namesOfPath } from '../../apps/ws-ingest/src/expressions/json-path.ts'
import { RecordBuilder } from '../../apps/ws-ingest/src/record/record-builder.ts'
import { compileRule } from '../../apps/ws-ingest/src/expressions/rule.ts'
import { sourcePartitionOf, websocketSpec } from '../../apps/ws-ingest/src/config/config.ts'
import { compileTemplate } from '../../apps/ws-ingest/src/expressions/template.ts'
import {
  fuzzTargets,
  mutateBytes,
  mutateJson,
  mutateProps,
  mutateText,
  type Progress,
  type Random,
  type Report,
  type Stage,
  type Target,
} from './driver.ts'
import { messages, paths, rules, settings, templates } from './websocket.corpus.ts'

interface Split {
  readonly json: string
  readonly path: string
}

type SplitTexts = typeof elementTexts

/**
 * The texts of a message's elements, compared with the parser's values. A test can replace `split` by one with a
 * planted bug.
 */
export function splitTarget(split: SplitTexts = elementTexts): Target<Split> {
  return {
    name: 'split',
    generate(random) {
      const value: unknown = JSON.parse(random.pick(messages))
      const text = spaced(random, JSON.stringify(random.chance(0.7) ? mutateJson(random, value) : value) ?? 'null')
      return { json: random.chance(0.3) ? mutateText(random, text) : text, path: random.pick(paths) }
    },
    run({ json, path }) {
      let value: unknown
      try {
        value = JSON.parse(json)
      } catch {
        return 'refused'
      }
      const elements = compilePath(path)(value)
      const texts = split(json, namesOfPath(path))
      assert.equal(texts !== null, Array.isArray(elements))
      if (texts === null) return 'past'
      assert.deepEqual(
        texts.map((text): unknown => JSON.parse(text)),
        elements,
      )
      assert.ok(texts.every((text) => json.includes(text) && text.trim() === text))
      return 'past'
    },
    show: ({ json, path }) => `${path} of ${json}`,
  }
}

/** White space where JSON allows it. */
function spaced(random: Random, json: string): string {
  if (random.chance(0.5)) return json
  const inString = /"(?:\\.|[^"\\])*"|[,:[\]{}]/g
  return json.replaceAll(inString, (token) =>
    token.length === 1 && random.chance(0.3) ? `${random.pick([' ', '\n', '\t\r'])}${token} ` : token,
  )
}

/** Rules: a clear error, or a result for any message. */
export const ruleTarget: Target<string> = {
  name: 'rule',
  generate: (random) => (random.chance(0.6) ? mutateText(random, random.pick(rules)) : random.pick(rules)),
  run: (text) =>
    compiled(() => {
      const rule = compileRule(text, 'record.skip.match')
      for (const message of messages) assert.equal(typeof rule(messageOf(Buffer.from(message))), 'boolean')
    }),
  show: (text) => text,
}

/** Templates: a clear error, or the text with each name replaced. */
export const templateTarget: Target<string> = {
  name: 'template',
  generate: (random) => (random.chance(0.7) ? mutateText(random, random.pick(templates)) : random.pick(templates)),
  run: (text) =>
    compiled(() => {
      const { names, render } = compileTemplate(text, 'topic.template')
      const seen: string[] = []
      const rendered = render((name) => {
        seen.push(name)
        return ''
      })
      assert.deepEqual(seen, names)
      assert.ok(!/\{\{[^{}]*\}\}/.test(text) || names.length > 0)
      assert.ok(rendered.length <= text.length)
    }),
  show: (text) => text,
}

interface Feed {
  readonly props: Record<string, string | null>
  readonly data: Buffer
  readonly binary: boolean
}

/**
 * Records of any message under any settings: no error is thrown, and no message is lost unless it is split or skipped.
 */
export const recordTarget: Target<Feed> = {
  name: 'record',
  generate(random) {
    const [props, message] = [random.pick(settings), Buffer.from(random.pick(messages))]
    return {
      props: random.chance(0.4) ? mutateProps(random, props) : props,
      data: random.chance(0.7) ? Buffer.from(mutateBytes(random, new Uint8Array(message))) : message,
      binary: random.chance(0.3),
    }
  },
  run: ({ props, data, binary }) =>
    compiled(() => {
      const given = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== null)) as Record<string, string> // prettier-ignore
      const config = parseConfig(websocketSpec, { ...given, 'websocket.url': 'ws://feed', 'kafka.topic': 'all' })
      const builder = new RecordBuilder({
        config,
        sourcePartition: sourcePartitionOf(config),
        sessionId: 'fuzz',
        lastSequence: 0,
        sequences: null,
        onNotJson: () => {},
      })
      const { records } = builder.build([new Message(data, binary, 0, { number: 1 }, messageDecoder(config))])
      records.forEach(checkRecord)
      const whole = config['split.field'] === null && config['record.skip.match'] === null
      if (whole) assert.equal(records.length, 1)
      if (whole && config['websocket.binary.decode'] === 'none' && records[0]!.value !== null) {
        assert.equal(String(records[0]!.value as string | Buffer), data.toString())
      }
    }),
  show: ({ props, data, binary }) =>
    `${JSON.stringify(props)} ${binary ? 'binary' : 'text'} ${data.toString('base64')}`,
}

function checkRecord({ topic, value, key, timestamp, error, original, sourceOffset }: SourceRecord, i: number): void {
  assert.match(topic, /^[a-zA-Z0-9._-]{1,249}$/)
  assert.ok(key === null || typeof key === 'string')
  assert.ok(timestamp === null || (Number.isSafeInteger(timestamp) && timestamp >= 0))
  assert.equal(sourceOffset['sequence'], i + 1)
  if (error === undefined) assert.ok(typeof value === 'string' || Buffer.isBuffer(value))
  else assert.ok(error instanceof DataError && value === null && original !== undefined)
}

function messageOf(data: Buffer): Message {
  return new Message(data, false, 0, { number: 1 })
}

/** Settings without a meaning are refused with a clear error. Any other error is a finding. */
function compiled(run: () => void): Stage {
  try {
    run()
    return 'past'
  } catch (error) {
    if (error instanceof ConfigError) return 'refused'
    throw error
  }
}

/** Runs `iterations` inputs over all targets between a WebSocket message and its records. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([splitTarget(), ruleTarget, templateTarget, recordTarget], iterations, seed, {
    ...(progress && { progress }),
  })
}
