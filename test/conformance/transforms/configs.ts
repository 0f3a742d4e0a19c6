import type { Random } from '../../support/random.ts'

/** Random settings of each of Kafka's transforms and predicates: most of them valid, some not. */

export type Config = Readonly<Record<string, string>>

/** Names that generated structs and maps have, and two that they have not. */
const FIELDS = [
  'id',
  'name',
  'a.b',
  'ünï',
  'constructor',
  '__proto__',
  'with space',
  'Amount',
  'ts',
  'x',
  'none',
  'a:b',
]
const TYPES = [
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'boolean',
  'string',
  'STRING',
  'bytes',
  'array',
  'bogus',
]
const PATTERNS = [
  "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
  'yyyy-MM-dd',
  'yyyyMMdd',
  'EEE, d MMM yyyy HH:mm:ss Z',
  'HH:mm',
  'b',
  "'",
]

const some = (random: Random, names: readonly string[], most = 3): string =>
  Array.from({ length: random.int(most + 1) }, () => random.pick(names)).join(random.pick([',', ' , ']))

/** `key` with a value, or not at all. */
const perhaps = (random: Random, chance: number, key: string, value: () => string): Config =>
  random.chance(chance) ? { [key]: value() } : {}

const nullToDefault = (random: Random): Config =>
  perhaps(random, 0.5, 'replace.null.with.default', () => random.pick(['true', 'false', 'FALSE', 'no']))

const field = (random: Random): string => random.pick(FIELDS)

const inserted = (random: Random, key: string): Config =>
  perhaps(random, 0.5, key, () => `${random.pick(['t', 'u', field(random)])}${random.pick(['', '!', '?'])}`)

const LITERALS = [
  ...[
    '',
    'text',
    'true',
    'null',
    'false}',
    '12',
    '-0',
    '128',
    '1e3',
    '1.50',
    '0.1',
    '1e40',
    '1e400',
    '12345678901234567890',
    '1.000000059604644775390625001',
    '3.4028235677973366e38',
  ],
  ...[
    '[1,2,300]',
    '[1, 2.5]',
    '[1,null]',
    '[]',
    '[,]',
    '[1,"a"]',
    '{"a":1,"b":2.5}',
    '{1:true}',
    '{"a":null}',
    '{a:1}',
    '{}',
  ],
  ...[
    '2019-08-23',
    '14:34:54.346Z',
    '2019-08-23T14:34:54.346Z',
    '2019-08-23T14\\:34\\:54.346Z',
    '["2019-08-23"]',
    '"q"',
    '[[1],[2]]',
  ],
  ...[
    '[1',
    '{"a"}',
    '+5',
    '- 5',
    '5 ',
    '\\"x',
    '9223372036854775807',
    '9223372036854775808',
    '[2019-08-23, 5]',
    '{"a":[1,{"b":2}]}',
  ],
]

const TOKENS = [...'[]{},:"'].concat([
  ...[' ', '\\', 'a', 'null', 'true', '1', '300', '70000', '5000000000', '1.5', '-2e3', '1e-2', '1e300', '2e400', '+'],
  ...['[', ']', ',', ',', '{', '}', ':', '2019-08-23', '14:34:54.346Z', '2019-08-23T14:34:54.346Z', '"'],
])

export const CONFIGS: Readonly<Record<string, (random: Random) => Config>> = {
  Cast: (random) => ({
    ...perhaps(random, 0.97, 'spec', () =>
      random.chance(0.3)
        ? random.pick(TYPES)
        : Array.from(
            { length: random.int(4) },
            () => `${field(random)}:${random.pick(TYPES.slice(0, random.chance(0.9) ? 9 : 12))}`,
          ).join(','),
    ),
    ...nullToDefault(random),
  }),
  DropHeaders: (random) => perhaps(random, 0.95, 'headers', () => some(random, ['h1', 'h2', 'ünï'])),
  ExtractField: (random) => ({
    ...perhaps(random, 0.97, 'field', () =>
      random.pick([
        field(random),
        `${field(random)}.${field(random)}`,
        `\`a.b\`.${field(random)}`,
        '`a',
        'a.',
        '`a\\`.b`',
        '`x`y`.z',
      ]),
    ),
    ...perhaps(random, 0.6, 'field.syntax.version', () => random.pick(['V1', 'V2', 'v2', 'V2', 'V3'])),
    ...nullToDefault(random),
  }),
  Filter: () => ({}),
  Flatten: (random) => perhaps(random, 0.5, 'delimiter', () => random.pick(['_', '.', '', '::'])),
  HeaderFrom: (random) => {
    const count = random.int(3) + (random.chance(0.95) ? 1 : 0)
    const names = Array.from({ length: count }, () => field(random))
    return {
      fields: names.join(','),
      ...perhaps(random, 0.97, 'headers', () =>
        names
          .slice(random.chance(0.9) ? 0 : 1)
          .map((_, i) => `g${i}`)
          .join(','),
      ),
      ...perhaps(random, 0.97, 'operation', () => random.pick(['copy', 'move', 'copy', 'move', 'take'])),
      ...nullToDefault(random),
    }
  },
  HoistField: (random) => perhaps(random, 0.95, 'field', () => random.pick([...FIELDS, ''])),
  InsertField: (random) => ({
    ...inserted(random, 'topic.field'),
    ...inserted(random, 'partition.field'),
    ...inserted(random, 'timestamp.field'),
    ...inserted(random, 'static.field'),
    ...perhaps(random, 0.05, 'offset.field', () => 'o'),
    ...perhaps(random, 0.9, 'static.value', () => random.pick(['v', '', 'ü'])),
    ...nullToDefault(random),
  }),
  InsertHeader: (random) => ({
    ...perhaps(random, 0.97, 'header', () => random.pick(['h1', 'new', ''])),
    ...perhaps(random, 0.97, 'value.literal', () =>
      random.chance(0.3)
        ? random.pick(LITERALS)
        : Array.from({ length: random.int(9) }, () => random.pick(TOKENS)).join(''),
    ),
  }),
  MaskField: (random) => ({
    ...perhaps(random, 0.97, 'fields', () => some(random, FIELDS, 4)),
    ...perhaps(random, 0.4, 'replacement', () =>
      random.pick(['x', '5', '1e3', '-1.5', '300', '', '99999999999999999999']),
    ),
    ...nullToDefault(random),
  }),
  RegexRouter: (random) => {
    if (random.chance(0.15)) {
      const regex = random.pick(['.*', '[', '(a)', '(?<all>.+)'])
      const replacement = random.pick(['$', '$x', '${none}', '${all', 'x\\', '$3', 'x'])
      return {
        ...perhaps(random, 0.9, 'regex', () => regex),
        ...perhaps(random, 0.9, 'replacement', () => replacement),
      }
    }
    const [regex, replacements] = random.pick([
      ['.*', ['x', '$0-x', '']],
      ['(.*)-(.*)', ['$1', '$2$1', '$12', '\\$1']],
      ['o(r)ders', ['$1', 'a\\b$1$1']],
      ['T|TT', ['x', 'a\\\\b']],
      ['(?<all>.+)', ['${all}-x', '$1']],
      ['([a-z.]+)(-c)?', ['$2$1', '$1$2', '<$2>']],
      ['a|a.b-c', ['x']],
      ['(?i)t', ['$0']],
      ['', ['x']],
    ] as const)
    return { regex, replacement: random.pick(replacements) }
  },
  ReplaceField: (random) => ({
    ...perhaps(random, 0.5, 'exclude', () => some(random, FIELDS)),
    ...perhaps(random, 0.3, 'include', () => some(random, FIELDS, 5)),
    ...perhaps(random, 0.15, 'blacklist', () => some(random, FIELDS)),
    ...perhaps(random, 0.15, 'whitelist', () => some(random, FIELDS)),
    ...perhaps(random, 0.6, 'renames', () =>
      Array.from(
        { length: random.int(3) },
        () => `${field(random)}:${random.pick(['r', 's', field(random), ''])}`,
      ).join(','),
    ),
    ...nullToDefault(random),
  }),
  SetSchemaMetadata: (random) => ({
    ...perhaps(random, 0.7, 'schema.name', () => random.pick(['com.example.New', ''])),
    ...perhaps(random, 0.6, 'schema.version', () => random.pick(['1', '42', '-3', 'x', '99999999999'])),
    ...nullToDefault(random),
  }),
  TimestampConverter: (random) => ({
    ...perhaps(random, 0.7, 'field', () => field(random)),
    ...perhaps(random, 0.97, 'target.type', () =>
      random.pick(['string', 'unix', 'Date', 'Time', 'Timestamp', 'Timestamp', 'unix', 'date']),
    ),
    ...perhaps(random, 0.8, 'format', () => random.pick(PATTERNS)),
    ...perhaps(random, 0.3, 'unix.precision', () =>
      random.pick(['seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'hours']),
    ),
    ...nullToDefault(random),
  }),
  TimestampRouter: (random) => ({
    ...perhaps(random, 0.5, 'topic.format', () =>
      random.pick(['${topic}', '${timestamp}-${topic}-${topic}', 'x', '${timestamp}$1\\']),
    ),
    ...perhaps(random, 0.6, 'timestamp.format', () =>
      random.pick([...PATTERNS, 'G y YY w W D F E a k K h z Z X', 'MMMM LLL u']),
    ),
  }),
  ValueToKey: (random) => ({
    ...perhaps(random, 0.97, 'fields', () => some(random, FIELDS)),
    ...nullToDefault(random),
  }),
  'predicates.HasHeaderKey': (random) => perhaps(random, 0.95, 'name', () => random.pick(['h1', 'h2', 'ünï', ''])),
  'predicates.RecordIsTombstone': () => ({}),
  'predicates.TopicNameMatches': (random) =>
    perhaps(random, 0.97, 'pattern', () =>
      random.pick(['orders', 'o.*', 'T|a', '(?i)t', '[a-z.]+-c', '', '(', 'a.b-c']),
    ),
}

/** Those with a form for the key and one for the value. */
export const SIDED = [
  ...['Cast', 'ExtractField', 'Flatten', 'HeaderFrom', 'HoistField', 'InsertField', 'MaskField', 'ReplaceField'],
  ...['SetSchemaMetadata', 'TimestampConverter'],
]
