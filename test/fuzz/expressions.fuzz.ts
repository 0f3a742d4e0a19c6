import type { ConnectRecord, TransformationPlugin } from '@tributary/connect-api'
import { TRANSFORMATIONS } from '@tributary/transforms'
import { ConnectGenerator } from '../support/connect-generator.ts'
import { fuzzTargets, mutateText } from './driver.ts'
import type { Progress, Random, Report, Stage, Target } from './driver.ts'

export const filterPlugin = TRANSFORMATIONS.find(
  ({ class: name }) => name === 'io.tributary.connect.transforms.Filter',
)!

interface Input {
  readonly condition: string
  readonly record: ConnectRecord
}

const LEAVES = [
  ...['value', 'key', 'topic', 'headers', 'timestamp', 'partition', 'valueSchema', 'keySchema', 'x'],
  ...['value.a', 'value.list', 'value.text', 'value.list[0]', 'value["__proto__"]', 'headers.h'],
  ...[
    '0',
    '1',
    '-1',
    '2u',
    '1.5',
    '9223372036854775807',
    '""',
    '"x"',
    'b"x"',
    'null',
    'true',
    'false',
    '[]',
    '[1, "a"]',
    '{"a": 1}',
  ],
  ...['duration("1h")', 'timestamp("2020-01-01T00:00:00Z")', 'json("[1,{}]")'],
]
const OPERATORS = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||']
const CALLS = ['size', 'int', 'double', 'string', 'bytes', 'bool', 'timestamp', 'duration', 'dyn', 'json', 'uuid']
const METHODS = [
  ...[
    'size()',
    'lowerAscii()',
    'trim()',
    'split("a")',
    'split("")',
    'join(",")',
    'getHours()',
    'getDayOfYear()',
    'matches("(a|b)*c")',
  ],
  ...[
    'replace("a", value.text)',
    'substring(1)',
    'contains(value.text)',
    'endsWith(topic)',
    'indexOf("b")',
    'a',
    'map(y, y + y)',
  ],
]
const MACROS = ['all', 'exists', 'exists_one', 'filter', 'map']

/** An expression of the grammar, with names that exist. */
function expression(random: Random, depth: number): string {
  if (depth === 0 || random.chance(0.1)) return random.pick(LEAVES)
  const inner = (): string => expression(random, depth - 1)
  switch (random.int(9)) {
    case 0:
    case 1:
      return `(${inner()} ${random.pick(OPERATORS)} ${inner()})`
    case 2:
      return `(${inner()} ? ${inner()} : ${inner()})`
    case 3:
      return `${inner()}.${random.pick(METHODS)}`
    case 4:
      return `${random.pick(CALLS)}(${inner()})`
    case 5:
      return `${inner()}.${random.pick(MACROS)}(x, ${inner()})`
    case 6:
      return `value.list.${random.pick(MACROS)}(x, ${inner()})`
    case 7:
      return random.pick([`!${inner()}`, `has(${inner()}.a)`, `-(${inner()})`])
    default:
      return `[${inner()}, ${inner()}]`
  }
}

/** Records of every kind, and those with which an expression can make much of little. */
function record(random: Random): ConnectRecord {
  const any = new ConnectGenerator(random).record()
  if (random.chance(0.4)) return any
  const length = random.pick([0, 3, 1000, 20_000])
  const list = Array.from({ length }, (_, i) => i)
  return { ...any, valueSchema: null, value: { a: 'a', list, text: 'ab'.repeat(length), __proto__: null } }
}

/** A test can give a plugin with a planted bug. */
export function grammarTarget(plugin: TransformationPlugin = filterPlugin): Target<Input> {
  return target('grammar', plugin, (random) => `uuid([1].map(x, ${expression(random, 5)})) != ""`)
}

/** Texts that are mostly no expressions. */
export function textTarget(plugin: TransformationPlugin = filterPlugin): Target<Input> {
  return target('text', plugin, (random) => {
    const valid = `uuid([1].map(x, ${expression(random, 3)})) != ""`
    return random.chance(0.5) ? mutateText(random, valid) : valid
  })
}

function target(name: string, plugin: TransformationPlugin, condition: (random: Random) => string): Target<Input> {
  return {
    name,
    generate: (random) => ({ condition: condition(random), record: record(random) }),
    run: (input) => run(plugin, input),
    show: (input) => input.condition,
  }
}

function run(plugin: TransformationPlugin, input: Input): Stage {
  let filter
  try {
    filter = plugin.create({ condition: input.condition })
  } catch (error) {
    if ((error as { kind?: string }).kind !== 'config') throw error
    return 'refused'
  }
  try {
    filter.apply(input.record)
  } catch (error) {
    if ((error as { kind?: string }).kind !== 'data') throw error
  }
  return 'past'
}

export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets(
    [grammarTarget(), textTarget()] as Target<unknown>[],
    iterations,
    seed,
    progress ? { progress } : {},
  )
}
