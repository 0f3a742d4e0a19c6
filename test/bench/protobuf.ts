/**
 * CPU of protobuf's bytes to JSON, and of loading a schema: ours beside protobufjs with its ext/protojson and
 * ext/descriptor. One process, no network; each figure is the median of nine rounds that take turns.
 *
 * npm run bench -- protobuf [messages a round, default 20,000]
 *
 * Then compares both with Go's protojson over generated messages of every kind of field (needs Java, Maven and Go).
 * Values equal to their default are left out of all three, as protobufjs cannot print them. Prints one JSON line.
 */
import { readFile } from 'node:fs/promises'
import protobuf from 'protobufjs'
import 'protobufjs/ext/descriptor.js'
import protojson from 'protobufjs/ext/protojson.js'
import {
  encodeRequest,
  fieldReader,
  jsonWriter,
  loadDescriptorSet,
  loadDescriptorText,
} from '@tributary/grpc-ingest/schema'
import { generateMessage } from '../conformance/protobuf-json/generate-message.ts'
import { buildReference, goJson, type Message } from '../conformance/protobuf-json/reference.ts'
import { firstDifference } from '../conformance/protobuf-json/same-json.ts'
import { Random } from '../support/random.ts'
import { machine, round, table } from './support/table.ts'

const SCHEMA = `syntax = "proto3"; package bench; import "google/protobuf/timestamp.proto";
  message Quote { string symbol = 1; double bid = 2; double ask = 3; int64 sequence = 4; string padding = 5; }
  message Trade { string id = 1; google.protobuf.Timestamp at = 2; Side side = 3; repeated Leg legs = 4;
    map<string, string> tags = 5; int64 sequence = 6; optional bool last = 7; bytes raw = 8; }
  message Leg { string venue = 1; double price = 2; int64 quantity = 3; repeated uint32 flags = 4; }
  message Series { repeated double values = 1; repeated int64 times = 2; }
  message Text { repeated string lines = 1; } message Wide { repeated string lines = 1; }
  enum Side { NONE = 0; BUY = 1; SELL = 2; }`
const legs = ['XLON', 'XPAR', 'XNYS'].map((venue) => ({
  venue,
  price: 101.25,
  quantity: '1500',
  flags: [1, 200, 70000],
}))
const MESSAGES: Readonly<Record<string, unknown>> = {
  Quote: { symbol: 'EURUSD', bid: 1.08427, ask: 1.08431, sequence: '123456789', padding: 'x'.repeat(50) },
  Trade: {
    ...{ id: 'b2a1c3d4-0001', at: '2024-11-21T12:30:15.123456Z', side: 'BUY', legs, last: true, raw: 'AAECAwQFBgc=' },
    ...{ tags: { desk: 'fx', trader: 'ada', strategy: 'mean <reversion>' }, sequence: '9007199254740993' },
  },
  Series: {
    values: Array.from({ length: 100 }, (_, i) => Math.sin(i) * 1000),
    times: Array.from({ length: 100 }, (_, i) => String(1_700_000_000_000_000_000n + BigInt(i))),
  },
  Text: { lines: Array.from({ length: 20 }, (_, i) => `line ${i} of plain text, `.repeat(5)) },
  Wide: { lines: Array.from({ length: 20 }, (_, i) => `line ${i} of text with 日本語 and "quotes" `.repeat(3)) },
}
const ROUNDS = 9
const count = Number(process.argv[2] ?? 20_000)

interface Contender {
  readonly name: string
  readonly run: () => unknown
}

/** Median µs of CPU of each contender's run. */
function measure(contenders: readonly Contender[], times: number): number[] {
  const figures = contenders.map((): number[] => [])
  for (let i = -2; i < ROUNDS; i++) {
    for (const [at, { run }] of contenders.entries()) {
      const before = process.cpuUsage()
      for (let n = 0; n < times; n++) run()
      const { user, system } = process.cpuUsage(before)
      // The first rounds warm up.
      if (i >= 0) figures[at]!.push((user + system) / times)
    }
  }
  return figures.map((all) => all.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!)
}

const root = await loadDescriptorText(SCHEMA)
const theirs = new protobuf.Root()
theirs.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!)
protobuf.parse(SCHEMA, theirs, { keepCase: false })
theirs.resolveAll()

const json = Object.entries(MESSAGES).map(([name, value]) => {
  const type = root.messages.get(`bench.${name}`)!
  const bytes = encodeRequest(type, JSON.stringify(value))
  const write = jsonWriter(type)
  const read = name === 'Quote' ? fieldReader(type, 'sequence', 'key.field') : null
  const other = theirs.lookupType(`bench.${name}`)
  const [ours, library, decode, field] = measure(
    [
      { name: 'ours', run: () => write(bytes) },
      { name: 'protojson', run: () => protojson.toJsonString(other, other.decode(bytes)) },
      { name: 'decode', run: () => other.decode(bytes) },
      ...(read ? [{ name: 'field', run: () => read(bytes) }] : []),
    ],
    count / (name === 'Quote' ? 1 : 10),
  )
  return { message: name, bytes: bytes.length, ours, protojson: library, decodeOnly: decode, field }
})

const set = await readFile(new URL('../fuzz/descriptor.corpus.desc', import.meta.url))
const [oursSet, theirsSet] = measure(
  [
    { name: 'ours', run: () => loadDescriptorSet(set, 'corpus') },
    // The cast: the extension adds the method to the class, and its types do not say so.
    {
      name: 'ext/descriptor',
      run: () =>
        (protobuf.Root as unknown as { fromDescriptor(b: Uint8Array): protobuf.Root }).fromDescriptor(set).resolveAll(),
    },
  ],
  20,
)
const loading = { setBytes: set.length, ours: oursSet, extDescriptor: theirsSet }

console.log(
  table(
    ['bytes to JSON, µs CPU', 'bytes', 'ours', 'protojson', 'ratio', 'its decode'],
    json.map((r) => [
      r.message,
      r.bytes,
      round(r.ours!, 2),
      round(r.protojson!, 2),
      round(r.protojson! / r.ours!),
      round(r.decodeOnly!, 2),
    ]),
  ),
)
console.log(`one resume field: ${round(json[0]!.field!, 2)} µs`)
console.log(
  `a schema of ${set.length} bytes: ours ${round(oursSet! / 1000, 2)} ms, ext/descriptor ${round(theirsSet! / 1000, 2)} ms`,
)

const against = await compareWithGo()
console.log(JSON.stringify({ bench: 'protobuf', machine, json, loading, against }))

/** Of generated messages: those whose JSON differs from Go's, or that only one side can print. */
async function compareWithGo(): Promise<Record<string, number | string>> {
  const reference = await buildReference()
  const bytes = await readFile(reference)
  const known = loadDescriptorSet(bytes, reference)
  const random = new Random(1)
  const messages: Message[] = Array.from({ length: 2000 }, () => {
    const type = random.pick(['conformance.Three', 'conformance.Two'])
    const anyTypes = ['conformance.Three', 'conformance.common.Money', 'google.protobuf.Duration']
    const without = ['closedEnum', 'closedEnumInMap'] as const
    return { type, bytes: generateMessage(known.messages.get(type)!, random, { depth: 3, anyTypes, without }) }
  })
  const verdicts = await goJson(reference, messages)
  const fromDescriptor = (protobuf.Root as unknown as { fromDescriptor(b: Uint8Array): protobuf.Root }).fromDescriptor
  const library = fromDescriptor(bytes).resolveAll()
  const writers: Readonly<Record<string, (m: Message) => string>> = {
    ours: (m) => jsonWriter(known.messages.get(m.type)!, { omitUnset: true })(m.bytes),
    protobufjs: (m) => {
      const type = library.lookupType(m.type)
      return protojson.toJsonString(type, type.decode(m.bytes))
    },
  }
  const found: Record<string, number | string> = { messages: messages.length }
  for (const [name, write] of Object.entries(writers)) {
    let differing = 0
    const reasons = new Map<string, number>()
    for (const [i, m] of messages.entries()) {
      const verdict = verdicts[i]!
      let reason: string | null = null
      try {
        const mine = pruned(JSON.parse(write(m)))
        reason =
          verdict.kind === 'json'
            ? firstDifference(known.messages.get(m.type)!, pruned(JSON.parse(verdict.json)), mine, {})
            : /Value: none of the oneof/.test(verdict.why)
              ? null
              : 'prints what Go refuses'
      } catch (error) {
        if (verdict.kind === 'json' && !/missing required/.test(String(error))) reason = String(error)
      }
      if (reason === null) continue
      differing++
      const short = reason.replace(/".*?"|-?\d[\d.e+-]*/g, '…').slice(0, 60)
      reasons.set(short, (reasons.get(short) ?? 0) + 1)
    }
    found[name] = differing
    const most = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 8)
    if (most.length > 0) console.log(`${name} differs from Go in ${differing} of ${messages.length}:`, most)
  }
  return found
}

/** Without members that are equal to the default of their type. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value)
    .map(([name, member]) => [name, pruned(member)] as const)
    .filter(([, member]) => !isDefault(member))
  return Object.fromEntries(members)
}

function isDefault(value: unknown): boolean {
  if (value === '' || value === '0' || value === 0 || value === false || value === null) return true
  if (value === 'SIDE_UNSPECIFIED' || value === 'NONE') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
