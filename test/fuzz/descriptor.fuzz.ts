import { readFileSync } from 'node:fs'
import { ConnectError } from '@tributary/connect-api'
import {
  jsonWriter,
  loadDescriptorSet,
  loadDescriptorText,
  resolveMethod,
  type Root,
} from '@tributary/grpc-ingest/schema'
import { encodeTree, mutateTree, parseTree, textsOf, type WireField } from './decoder.wire-tree.ts'
import { fuzzTargets, mutateBytes, mutateText } from './driver.ts'
import type { Progress, Random, Report, Stage, Target } from './driver.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/grpc/${name}`, import.meta.url))
const own = (name: string): Buffer => readFileSync(new URL(`./${name}`, import.meta.url))
const proto = (name: string): string => own(`../conformance/protobuf-json/proto/${name}.proto`).toString('utf8')

const SETS = [
  own('descriptor.corpus.desc'),
  ...['ticker.desc', 'production.desc', 'example.desc', 'test_stream.desc'].map(fixture),
].map((bytes) => ({ bytes, tree: parseTree(bytes)!, texts: textsOf(parseTree(bytes)!) }))
const SOURCES = [
  proto('common'),
  proto('three')
    .replace('import "common.proto";', '')
    .replaceAll('common.Side', 'Three')
    .replaceAll('common.Money', 'Three'),
  proto('two')
    .replace(/import "(common|three).proto";/g, '')
    .replaceAll(/common\.(Side|Money)|Three/g, 'Two')
    .replace(/oneof pick \{[^]*?\n {2}\}/, ''),
]
/** Bytes that have a meaning for many types: varints, texts, a nested message, a group. */
const MESSAGE = Buffer.from('08011202686918032a0408011001330801340d0000803f3d00000000', 'hex')

type LoadSet = (bytes: Uint8Array) => Root

/** Binary descriptors. A test can replace `load` by one with a planted bug. */
export function setTarget(load: LoadSet = (bytes) => loadDescriptorSet(bytes, 'input')): Target<Buffer> {
  return {
    name: 'descriptor-set',
    generate(random) {
      const { bytes, tree, texts } = random.pick(SETS)
      if (random.chance(0.2)) return Buffer.from(mutateBytes(random, new Uint8Array(bytes)))
      let fields: readonly WireField[] = tree
      for (let rounds = random.pick([1, 1, 2, 4]); rounds > 0; rounds--) fields = mutateTree(random, fields, texts)
      return encodeTree(fields)
    },
    run: (bytes) =>
      stage(/is not a FileDescriptorSet|holds no file/, () => {
        use(load(bytes), bytes.length)
      }),
    show: (bytes) => bytes.toString('base64'),
  }
}

/** .proto text, as the setting may contain it. */
export const textTarget: Target<string> = {
  name: 'proto-text',
  generate(random) {
    const text = random.pick(SOURCES)
    return random.chance(0.2) ? mutateText(random, text) : mutateWords(random, text)
  },
  async run(text) {
    let root: Root
    try {
      // The loader must not look for a file of that name.
      root = await loadDescriptorText(`${text}\n;`)
    } catch (error) {
      return clear(/ illegal |\(line \d+\)|neither a valid/, error)
    }
    return stage(/never/, () => use(root, text.length))
  },
  show: (text) => text,
}

/** Decodes bytes with the loaded schema: the generated code must be sound whatever the descriptor contains. */
function use(root: Root, choice: number): void {
  for (const service of root.services.values()) {
    for (const method of service.methods.keys())
      stage(/never/, () => void resolveMethod(root, service.fullName, method))
  }
  const types = [...root.messages.values()].filter((type) => !type.mapEntry && !type.fullName.startsWith('google.'))
  const chosen = new Set([0, 5, 11].map((n) => types[(choice + n) % types.length]))
  for (const type of chosen) if (type) stage(/never/, () => void JSON.parse(jsonWriter(type)(MESSAGE)))
}

/** Replaces a word or number by another one of the text, or removes or repeats a line. */
function mutateWords(random: Random, text: string): string {
  if (random.chance(0.3)) {
    const lines = text.split('\n')
    const at = random.int(lines.length)
    lines.splice(at, random.int(2), ...(random.chance(0.5) ? [lines[at]!] : []))
    return lines.join('\n')
  }
  const pattern = random.chance(0.5) ? /\b[a-z_]\w*\b/gi : /\b\d+\b/g
  const words = [...text.matchAll(pattern)]
  const { 0: word, index } = random.pick(words)
  return text.slice(0, index) + random.pick(words)[0] + text.slice(index + word.length)
}

function stage(firstStage: RegExp, run: () => void): Stage {
  try {
    run()
    return 'past'
  } catch (error) {
    return clear(firstStage, error)
  }
}

/** Rethrows an error that is not clear. */
function clear(firstStage: RegExp, error: unknown): Stage {
  if (!(error instanceof ConnectError) || (error.kind === 'config' && error.field === undefined)) throw error
  return firstStage.test(error.message) ? 'refused' : 'past'
}

/** Runs `iterations` inputs over all targets of the descriptor loader. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([setTarget(), textTarget], iterations, seed, {
    ...(progress && { progress }),
  })
}
