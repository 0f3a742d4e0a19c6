import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { ConnectError } from '@tributary/connect-api'
import { jsonWriter, loadDescriptorSet, loadDescriptorText, type Root } from '@tributary/grpc-ingest/schema'
import { generateMessage, type Wrong } from './protobuf-json/generate-message.ts'
import { Random } from '../support/random.ts'
import {
  buildReference,
  goJson,
  javaJson,
  type Message,
  pythonJson,
  type Reference,
  type Verdict,
} from './protobuf-json/reference.ts'
import { firstDifference } from './protobuf-json/same-json.ts'

const TYPES = ['conformance.Three', 'conformance.Two']
const ANY_TYPES = [
  'conformance.Three', 'conformance.Two', 'conformance.common.Money', 'google.protobuf.Duration', 'google.protobuf.Any',
  'google.protobuf.Struct', 'google.protobuf.StringValue', 'google.protobuf.Int64Value', 'google.protobuf.Empty', 'no.Such',
] // prettier-ignore
const COUNT = 4000
const SEED = Number(process.env['TRIBUTARY_TEST_SEED'] ?? 20_251_217)

interface Side {
  readonly name: string
  readonly reference: Reference
  /** The writer's option. */
  readonly omitUnset: boolean
  /** What the reference prints otherwise, with reasons in docs/decisions/43-own-protobuf-json.md. */
  readonly without: readonly Wrong[]
  /** The reference prints messages that lack a required field. */
  readonly lenient?: boolean
  /** Reasons for which the reference prints no JSON, where our writer does. */
  readonly refuses?: RegExp | undefined
  /** See Leniency. */
  readonly java?: boolean
}

const JAVA: Side = {
  name: 'protobuf-java-util 3.25.1',
  reference: javaJson,
  omitUnset: false,
  without: ['maskPath', 'closedEnumInMap'],
  java: true,
  // Java checks values that later values replace, too.
  refuses: /missing required fields/,
}
const SIDES: readonly Side[] = [
  JAVA,
  {
    name: "Python's json_format",
    reference: pythonJson,
    omitUnset: true,
    without: ['unknownInEntry'],
    lenient: true,
  },
  {
    name: "Go's protojson",
    reference: goJson,
    omitUnset: true,
    without: ['closedEnum', 'closedEnumInMap'],
    lenient: true,
    refuses: /google\.protobuf\.Value: none of the oneof fields is set/,
  },
]

describe('protobuf JSON', () => {
  let set: string
  let root: Root

  before(async () => {
    set = await buildReference()
    root = loadDescriptorSet(await readFile(set), set)
  })

  for (const side of SIDES) {
    it(`is equal in value to that of ${side.name} for generated messages of every kind of field`, async () => {
      const messages = generate(root, SEED, COUNT, side)
      const verdicts = await side.reference(set, messages)
      assert.deepEqual(differences(root, messages, verdicts, side), [])
      const counts = Object.groupBy(verdicts, (v) => v.kind)
      assert.ok((counts.json?.length ?? 0) > COUNT / 2, 'most of the messages have a JSON form')
    })
  }

  it('is equal in value when the schema comes from the .proto text', async () => {
    const fromText = await loadDescriptorText(join(import.meta.dirname, 'protobuf-json', 'proto', 'three.proto'))
    const messages = generate(fromText, SEED + 1, 500, JAVA, { types: ['conformance.Three'] })
    assert.deepEqual(differences(fromText, messages, await javaJson(set, messages), JAVA), [])
  })

  // Java decodes a value that a later value replaces, and our decoder does not. So no value is replaced in these
  // messages.
  it('finds the same messages malformed', async () => {
    const messages = generate(root, 1, COUNT, JAVA, { once: true }).map(({ type, bytes }, i) => {
      const random = new Random(i)
      const cut = Buffer.from(bytes.subarray(0, random.int(bytes.length + 1)))
      if (cut.length > 0 && random.chance(0.5)) cut[random.int(cut.length)] = random.int(256)
      return { type, bytes: cut }
    })
    const verdicts = await javaJson(set, messages)
    assert.ok(verdicts.filter((v) => v.kind === 'decode!').length > COUNT / 10)
    assert.deepEqual(differences(root, messages, verdicts, { ...JAVA, refuses: undefined }), [])
  })
})

function generate(
  root: Root,
  seed: number,
  count: number,
  { without }: Side,
  { types = TYPES, once = false } = {},
): Message[] {
  const random = new Random(seed)
  const anyTypes = ANY_TYPES.filter((name) => name === 'no.Such' || root.messages.has(name))
  return Array.from({ length: count }, () => {
    const type = random.pick(types)
    return { type, bytes: generateMessage(root.messages.get(type)!, random, { depth: 3, anyTypes, without, once }) }
  })
}

/** The first few messages for which our result differs from that of the reference. */
function differences(root: Root, messages: readonly Message[], verdicts: readonly Verdict[], side: Side): string[] {
  const found: string[] = []
  for (const [i, message] of messages.entries()) {
    const difference = compare(root, message, verdicts[i]!, side)
    if (difference !== null) {
      found.push(`${difference} in ${message.type} ${message.bytes.toString('base64').slice(0, 2000)}`)
    }
    if (found.length === 5) break
  }
  return found
}

function compare(root: Root, message: Message, expected: Verdict, side: Side): string | null {
  const type = root.messages.get(message.type)!
  let ours: string
  try {
    ours = jsonWriter(type, { omitUnset: side.omitUnset })(message.bytes)
  } catch (error) {
    assert.ok(error instanceof ConnectError, `unclassified: ${String(error)}`)
    if (error.message.includes('missing required field') && (side.lenient === true || expected.kind !== 'json'))
      return null
    if (expected.kind === 'json') return `${error.message}, where ${side.name} prints ${expected.json.slice(0, 500)}`
    // The references read the whole message before they print. For a message that is malformed and has no JSON form,
    // our decoder may report either.
    return expected.kind === 'decode!' || error.code === 'PROTOBUF_JSON'
      ? null
      : `${error.message}, where ${side.name} says ${expected.why}`
  }
  if (expected.kind !== 'json' && side.refuses?.test(expected.why) === true) return null
  if (expected.kind !== 'json') return `${ours.slice(0, 500)}, where ${side.name} says ${expected.why}`
  return firstDifference(type, JSON.parse(expected.json), JSON.parse(ours), side)
}
