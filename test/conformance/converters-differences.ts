import { type Difference, type Outcome, plainText, withoutDigits } from './converters-compare.ts'

/** What our converters do unlike Kafka's. docs/converters.md has each reason, word for word. */

const DIGITS: Difference = {
  reason: 'Java before version 19 writes some floating-point numbers with more digits than they need.',
  allows: (kafka, ours) => !!kafka.bytes && !!ours.bytes && withoutDigits(kafka.bytes) === withoutDigits(ours.bytes),
}

const UNREADABLE = 'Converting byte[] to Kafka Connect data failed'

export const JSON_DIFFERENCES: readonly Difference[] = [
  DIGITS,
  {
    reason: 'A whole number that is written with a point or an exponent (1.0, 1e3) is an integer here.',
    allows: (kafka, ours) =>
      /^Invalid type for (Date|Time|Timestamp), .* NUMBER$/.test(kafka.error ?? '')
        ? ours.error === undefined
        : kafka.data !== undefined && withoutVersion(kafka) === withoutVersion(ours),
  },
  {
    reason:
      'Text behind a JSON value, leading zeros and numbers beyond the range of a double are errors here. Jackson reads on, and gives Infinity.',
    allows: (kafka, ours) => !(kafka.error ?? '').startsWith(UNREADABLE) && (ours.error ?? '').startsWith(UNREADABLE),
  },
  {
    reason: 'Dates beyond the years -271821 to 275760, the limit of JavaScript, are an error here.',
    allows: (kafka, ours) => kafka.data !== undefined && (ours.error ?? '').startsWith('The date '),
  },
  {
    reason:
      'Connect checks a struct when it is built. Here a struct is a plain object, the converter checks it, and writes the default for a null element of a list.',
    allows: (kafka, ours) =>
      /^(Invalid Java object for schema|Invalid value: null used for required)/.test(kafka.error ?? '') &&
      (ours.error === undefined || ours.of === 'data'),
  },
]

export const HEADER_DIFFERENCES: readonly Difference[] = [
  DIGITS,
  {
    reason: 'SimpleHeaderConverter takes digits of other scripts as text, not as a number.',
    allows: (kafka, ours) =>
      kafka.data !== undefined && /\p{Nd}/u.test(JSON.stringify(ours.data ?? '').replaceAll(/\d/g, '')),
  },
]

export const SIMPLE_DIFFERENCES: readonly Difference[] = [
  DIGITS,
  {
    reason: 'StringConverter refuses bytes, of which Java writes the address of the array.',
    allows: (kafka, ours) =>
      (ours.error ?? '').startsWith('StringConverter cannot write the bytes') ||
      (/\[B@[0-9a-f]+/.test(plainText(kafka.bytes)) && withoutAddress(kafka.bytes) === withoutAddress(ours.bytes)),
  },
  {
    reason: 'Of bytes that are no text in the encoding, more or fewer may become U+FFFD.',
    allows: (kafka, ours) => [kafka, ours].every(({ data }) => JSON.stringify(data ?? null).includes('\ufffd')),
  },
]

function withoutVersion({ data }: Outcome): string {
  return JSON.stringify(data ?? null).replaceAll(/,"version":-?\d+/g, '')
}

function withoutAddress(bytes: Buffer | null | undefined): string {
  return withoutDigits(Buffer.from(plainText(bytes).replaceAll(/\[B@[0-9a-f]*/g, '')))
}
