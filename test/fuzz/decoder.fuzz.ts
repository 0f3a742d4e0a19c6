import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ConnectError } from '@tributary/connect-api'
import {
  encodeRequest,
  fieldReader,
  jsonWriter,
  loadDescriptorSet,
  timestampReader,
} from '@tributary/grpc-ingest/schema'
import { generateMessage } from '../conformance/protobuf-json/generate-message.ts'
import { framesTarget } from './decoder.frames.ts'
import { encodeTree, mutateTree, parseTree, textsOf } from './decoder.wire-tree.ts'
import { fuzzTargets, mutateBytes, mutateJson, mutateText } from './driver.ts'
import type { Progress, Random, Report, Stage, Target } from './driver.ts'

interface Message {
  readonly type: string
  readonly bytes: Buffer
}

const root = loadDescriptorSet(readFileSync(new URL('./descriptor.corpus.desc', import.meta.url)), 'corpus')
const TYPES = ['conformance.Three', 'conformance.Two', 'google.protobuf.Struct', 'google.protobuf.Any']
const ANY_TYPES = ['conformance.Three', 'conformance.Two', 'google.protobuf.Any', 'google.protobuf.Duration']

const typeOf = (name: string): Parameters<typeof jsonWriter>[0] => root.messages.get(name)!
const three = typeOf('conformance.Three')
const READERS = [
  ['f_string', 'f_self.f_money.units', 'c_money.nanos', 'c_string', 'w_int64', 'f_side'].map((path) =>
    fieldReader(three, path, 'key.field'),
  ),
  ['w_timestamp', 'f_int64', 'f_double', 'f_string'].map((path) =>
    timestampReader(three, path, 'timestamp.field', 'ms'),
  ),
].flat()

type Convert = (type: string, bytes: Uint8Array) => string

/** Messages as JSON. A test can replace `convert` by one with a planted bug. */
export function messageTarget(convert: Convert = (type, bytes) => jsonWriter(typeOf(type))(bytes)): Target<Message> {
  return {
    name: 'message',
    generate(random) {
      const type = random.pick(TYPES)
      const bytes = generateMessage(typeOf(type), random, { depth: 2, anyTypes: ANY_TYPES })
      return { type, bytes: mutateMessage(random, bytes) }
    },
    run({ type, bytes }) {
      const before = Buffer.from(bytes)
      const stage = decodes(() => {
        const json = convert(type, bytes)
        assert.equal(typeof JSON.parse(json), 'object')
        assert.ok(json.isWellFormed())
      })
      if (type === 'conformance.Three') for (const read of READERS) decodes(() => read(bytes))
      assert.ok(before.equals(bytes), 'the bytes were changed')
      return stage
    },
    show: ({ type, bytes }) => `${type} ${bytes.toString('base64')}`,
  }
}

function mutateMessage(random: Random, bytes: Buffer): Buffer {
  const tree = random.chance(0.75) ? parseTree(bytes) : null
  if (tree) return encodeTree(mutateTree(random, tree, textsOf(tree)))
  return random.chance(0.3) ? bytes : Buffer.from(mutateBytes(random, new Uint8Array(bytes)))
}

/** Malformed bytes count as refused. A well-formed message without a JSON form counts as past the first stage. */
function decodes(run: () => void): Stage {
  try {
    run()
    return 'past'
  } catch (error) {
    if (!(error instanceof ConnectError) || error.kind !== 'data') throw error
    return error.code === 'PROTOBUF_DECODE' ? 'refused' : 'past'
  }
}

/** Request messages: the encoded bytes must decode to the same JSON. */
export const requestTarget: Target<string> = {
  name: 'request',
  generate(random) {
    const bytes = generateMessage(three, random, { depth: 1, anyTypes: ANY_TYPES, inAny: true, inMap: true })
    let json: string
    try {
      json = jsonWriter(three)(bytes)
    } catch {
      json = '{"fString":"a"}'
    }
    const set: unknown = JSON.parse(json, (_, value: unknown) => (isEmpty(value) ? undefined : value))
    const text = JSON.stringify(random.chance(0.5) ? mutateJson(random, set ?? {}) : (set ?? {})) ?? '{}'
    return random.chance(0.2) ? mutateText(random, text) : text
  },
  run(text) {
    let bytes: Buffer
    try {
      bytes = encodeRequest(three, text)
    } catch (error) {
      if (!(error instanceof ConnectError) || error.field !== 'grpc.request.message') throw error
      return /it is not JSON/.test(error.message) ? 'refused' : 'past'
    }
    if (text.includes('@type') || text.includes('wMask')) return 'past' // Not all of them come back as they were.
    const json = jsonWriter(three)(bytes)
    assert.equal(jsonWriter(three)(encodeRequest(three, json)), json)
    return 'past'
  },
  show: (text) => text,
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === '0' || value === 0 || (Array.isArray(value) && value.length === 0)
}

/** Runs `iterations` inputs over all targets of the decoder. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([messageTarget(), requestTarget, framesTarget()], iterations, seed, {
    ...(progress && { progress }),
  })
}
