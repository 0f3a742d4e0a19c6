import type { ConnectRecord } from '@tributary/connect-api'
import { TRANSFORMATIONS } from '@tributary/transforms'
import { Random } from '../../support/random.ts'
import type { Trial } from './compare.ts'

/** Random patterns of SimpleDateFormat, and texts that more or less follow them. */

const SEPARATORS = ['-', '/', ' ', ':', '.', ', ', "'T'", "''", '', "' o''clock '", '  ']
const LETTERS = [
  'G',
  'y',
  'M',
  'd',
  'k',
  'H',
  'm',
  's',
  'S',
  'E',
  'D',
  'F',
  'w',
  'W',
  'a',
  'h',
  'K',
  'Z',
  'Y',
  'u',
  'L',
  'z',
]
const COMMON = [
  "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
  "yyyy-MM-dd'T'HH:mm:ssXXX",
  'yyyy-MM-dd HH:mm:ss',
  'EEE, dd MMM yyyy HH:mm:ss Z',
  'EEEE, MMMM d, yy h:mm a z',
  'yyyyMMddHHmmss',
  'dd/MM/yy',
  "YYYY-'W'ww-u",
  'yyyy-DDD',
  'yyyy MM W E',
  'yyyy MMM F EEE',
  'hh:mm:ss a',
  'G yyyy-MM-dd',
]

function datePattern(random: Random): string {
  if (random.chance(0.4)) return random.pick(COMMON)
  let pattern = ''
  for (let i = random.int(7); i >= 0; i--) {
    const letters = random.pick(LETTERS).repeat(1 + random.int(random.chance(0.1) ? 6 : 4))
    pattern += (random.chance(0.95) ? letters : 'XXX'.slice(random.int(3))) + random.pick(SEPARATORS)
  }
  return pattern
}

/** ms since the epoch: around now, far away, before 1582, at ends of years. */
function time(random: Random): number {
  const year = random.pick([
    1970,
    2024,
    2026,
    1999,
    1582,
    1581,
    1583,
    1,
    0,
    -44,
    900,
    9999,
    12_000,
    1000 + random.int(1500),
  ])
  const at = new Date(0)
  at.setUTCFullYear(year, random.pick([0, 11, random.int(12)]), random.pick([1, 31, 1 + random.int(28)]))
  return at.getTime() + random.pick([0, 86_399_999, random.int(86_400_000)])
}

/** A text with a few characters changed. */
function spoilt(random: Random, text: string): string {
  let spoiltText = text
  for (let i = random.pick([0, 1, 1, 2]); i > 0; i--) {
    const at = random.int(spoiltText.length + 1)
    const insert = random.pick([
      '',
      '',
      '-',
      ' ',
      '9',
      '0',
      '1E1',
      'x',
      'z',
      '1',
      ' ',
      ':',
      '+',
      String(random.int(100)),
    ])
    spoiltText = spoiltText.slice(0, at) + insert + spoiltText.slice(at + random.int(2))
  }
  return spoiltText
}

const VALUE = TRANSFORMATIONS.find(({ class: name }) => name.endsWith('.TimestampConverter$Value'))!

/** Ten times written by a pattern, and ten texts read by it. */
export function dateTrials(seed: number): Trial[] {
  const random = new Random(seed)
  const format = datePattern(random)
  const times = Array.from({ length: 10 }, () => time(random))
  const write: Trial = {
    plugin: VALUE,
    config: { 'target.type': 'string', format },
    records: times.map((ms) => recordWith(ms)),
  }
  const writer = VALUE.create(write.config)
  const texts = times.map((ms) => spoilt(random, writer.apply(recordWith(ms))!.value as string))
  return [
    write,
    { plugin: VALUE, config: { 'target.type': 'unix', format }, records: texts.map((text) => recordWith(text)) },
  ]
}

function recordWith(value: unknown): ConnectRecord {
  return { topic: 't', key: null, keySchema: null, value, valueSchema: null, headers: [], timestamp: null }
}
