import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { ConnectError } from '@tributary/connect-api'
import { jsonWriter, loadDescriptorSet, loadDescriptorText, type Root } from '@tributary/grpc-ingest/schema'
import { generateMessage } from './protobuf-json/generate-message.ts'
import { Random } from '../support/random.ts'
import { buildReference, referenceJson, type Verdict } from './protobuf-json/reference.ts'
import { firstDifference } from './protobuf-json/same-json.ts'

const TYPES = ['conformance.Three', 'conformance.Two']
const ANY_TYPES = [
  'conformance.Three', 'conformance.Two', 'conformance.common.Money', 'google.protobuf.Duration', 'google.protobuf.Any',
  'google.protobuf.Struct', 'google.protobuf.StringValue', 'google.protobuf.Int64Value', 'google.protobuf.Empty', 'no.Such',
] // prettier-ignore
const COUNT = 4000
const SEED = Number(process.env['TRIBUTARY_TEST_SEED'] ?? 20_251_217)

interface Message {
  readonly type: string
  readonly bytes: Buffer
}

describe('protobuf JSON, against protobuf-java-util 3.25.1', () => {
  let set: string
  let root: Root

  before(async () => {
    set = await buildReference()
    root = loadDescriptorSet(await readFile(set), set)
  })

  it('is equal in value for generated messages of every kind of field', async () => {
    const messages = generate(root, SEED, COUNT)
    const verdicts = await referenceJson(set, messages)
    assert.deepEqual(differences(root, messages, verdicts), [])
    const counts = Object.groupBy(verdicts, (v) => v.kind)
    assert.ok((counts.json?.length ?? 0) > COUNT / 2, 'most of the messages have a JSON form')
  })

  it('is equal in value when the schema comes from the .proto text', async () => {
    const fromText = await loadDescriptorText(join(import.meta.dirname, 'protobuf-json', 'proto', 'three.proto'))
    const messages = generate(fromText, SEED + 1, 500, ['conformance.Three'])
    assert.deepEqual(differences(fromText, messages, await referenceJson(set, messages)), [])
  })

  // Java decodes a value that a later value replaces, and our decoder does not. So no value is replaced in these
  // messages.
  it('finds the same messages malformed', async () => {
    const messages = generate(root, 1, COUNT, TYPES, true).map(({ type, bytes }, i) => {
      const random = new Random(i)
      const cut = Buffer.from(bytes.subarray(0, random.int(bytes.length + 1)))
      if (cut.length > 0 && random.chance(0.5)) cut[random.int(cut.length)] = random.int(256)
      return { type, bytes: cut }
    })
    const verdicts = await referenceJson(set, messages)
    assert.ok(verdicts.filter((v) => v.kind === 'decode!').length > COUNT / 10)
    assert.deepEqual(differences(root, messages, verdicts), [])
  })
})

function generate(root: Root, seed: number, count: number, types = TYPES, once = false): Message[] {
  const random = new Random(seed)
  const anyTypes = ANY_TYPES.filter((name) => name === 'no.Such' || root.messages.has(name))
  return Array.from({ length: count }, () => {
    const type = random.pick(types)
    return { type, bytes: generateMessage(root.messages.get(type)!, random, { depth: 3, anyTypes, once }) }
  })
}

/** The first few messages for which our result differs from Java's. */
function differences(root: Root, messages: readonly Message[], verdicts: readonly Verdict[]): string[] {
  const found: string[] = []
  for (const [i, { type, bytes }] of messages.entries()) {
    const difference = compare(root, type, bytes, verdicts[i]!)
    if (difference !== null) found.push(`${difference} in ${type} ${bytes.toString('base64').slice(0, 2000)}`)
    if (found.length === 5) break
  }
  return found
}

function compare(root: Root, name: string, bytes: Buffer, expected: Verdict): string | null {
  const type = root.messages.get(name)!
  let ours: string
  try {
    ours = jsonWriter(type)(bytes)
  } catch (error) {
    assert.ok(error instanceof ConnectError, `unclassified: ${String(error)}`)
    if (expected.kind === 'json') return `${error.message}, where Java prints ${expected.json.slice(0, 500)}`
    // Java reads the whole message before it prints. For a message that is malformed and has no JSON form, our decoder
    // may report either.
    return expected.kind === 'decode!' || error.code === 'PROTOBUF_JSON'
      ? null
      : `${error.message}, where Java says ${expected.why}`
  }
  if (expected.kind !== 'json') return `${ours.slice(0, 500)}, where Java says ${expected.why}`
  return firstDifference(type, JSON.parse(expected.json), JSON.parse(ours))
}
