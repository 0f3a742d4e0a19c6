import type { Random } from '../support/random.ts'

const SCALARS = [
  'null',
  'true',
  '0',
  '-1',
  '12345678901',
  '9223372036854775808',
  '1.5',
  '1e3',
  '-0',
  '-0.0',
  '1e400',
  '123456789012345678901234567890',
  '0.1234567890123456789',
  '"x"',
  '"QQ=="',
  '[]',
  '{}',
  '[[1,2]]',
  '{"a":1}',
]

/** JSON in which one value, mostly one of the payload, is another one. */
export function anotherPayload(random: Random, json: Buffer): Buffer {
  const text = json.toString()
  const values = [
    ...text.matchAll(/(?<=[:[,])(?:"(?:[^"\\]|\\.)*"(?!:)|-?[\d.]+(?:E-?\d+)?|true|false|null|\[\]|\{\})/g),
  ]
  const payload = values.filter(({ index }) => index > text.indexOf('"payload":'))
  const from = payload.length > 0 && random.chance(0.8) ? payload : values
  if (from.length === 0) return Buffer.from(random.pick(SCALARS))
  const { 0: old, index } = random.pick(from)
  return Buffer.from(text.slice(0, index) + random.pick(SCALARS) + text.slice(index + old.length))
}
