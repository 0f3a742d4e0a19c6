import type { Comparison, Outcome } from './compare.ts'

/** Why we differ from Kafka 3.9; docs/transforms/kafka.md says the same to users. */
export const DIFFERENCES = {
  everyError: {
    why: "All wrong settings are reported at once, Kafka's error first; Kafka stops at the first.",
    holds: (theirs, ours) => theirs.kind === 'config' && ours.kind === 'config' && begins(ours, theirs.message),
  },
  missingField: {
    why: 'HeaderFrom names the field that a struct does not have; Kafka throws a NullPointerException.',
    holds: (theirs, ours) =>
      theirs.class === 'java.lang.NullPointerException' && ours.message.startsWith('Field does not exist: '),
  },
  missingFormat: {
    why: 'TimestampConverter says that it needs `format` to read text; Kafka throws a NullPointerException.',
    holds: (theirs, ours) =>
      theirs.class === 'java.lang.NullPointerException' &&
      ours.message.startsWith('TimestampConverter requires format option'),
  },
  objectAddress: {
    why: 'InsertField names the static field; Kafka prints the address of an object.',
    holds: (theirs, ours) => begins(ours, theirs.message.replace(/org\.apache\S+@\w+$/, '')),
  },
  regexReason: {
    why: 'The reason why a regular expression is refused is in our words, as another engine (RE2) reads it.',
    holds: (theirs, ours) =>
      /Invalid regex: /.test(theirs.message) && begins(ours, theirs.message.split('Invalid regex: ')[0]!),
  },
  timestampMissing: {
    why: 'TimestampRouter names the topic of a record without timestamp; Kafka prints the whole record with its key and value into the log.',
    holds: (theirs, ours) => [theirs, ours].every(({ message }) => message.startsWith('Timestamp missing on record: ')),
  },
} as const satisfies Record<string, ErrorDifference>

/** Differences in what one side refuses. */
export const REFUSALS = {
  replacementAtStart: {
    why: 'A replacement or a date pattern that no record can be routed by is refused at the start; Kafka fails for each record that it concerns.',
    holds: ({ record, ours }) =>
      record === null &&
      /^Invalid value .* for configuration (replacement|timestamp\.format): /s.test(ours.error?.message ?? ''),
  },
  dateRange: {
    why: "Dates end in the year 275760, as JavaScript's do; Java's end 292 million years later.",
    holds: ({ ours }) => /^The timestamp .* is beyond the years/s.test(ours.error?.message ?? ''),
  },
  severalMistakes: {
    why: 'Of several fields that cannot be cast or masked, the first in the setting is reported; Kafka takes that which its hash table gives first.',
    holds: ({ trial, ours, theirs }) =>
      /\.(Cast|MaskField)\$/.test(trial.plugin.class) &&
      /,/.test(trial.config['spec'] ?? trial.config['fields'] ?? '') &&
      ours.error?.kind === 'data' &&
      theirs.error?.kind === 'data',
  },
  sameNewName: {
    why: 'Of two fields that ReplaceField renames to one name, the last in the setting counts; Kafka takes that which its hash table gives last.',
    holds: ({ trial }) => {
      const targets = (trial.config['renames'] ?? '').split(',').map((rename) => rename.split(':')[1])
      return trial.plugin.class.includes('.ReplaceField$') && new Set(targets).size < targets.length
    },
  },
  floatDigits: {
    why: 'Cast writes floats as Java 19 and later does, with the fewest digits that give the number again; Java 17 sometimes writes one more.',
    holds: ({ trial, ours, theirs }) =>
      trial.plugin.class.includes('.Cast$') && withoutDigits(ours.result) === withoutDigits(theirs.result),
  },
  oldWeeks: {
    why: 'Week numbers of 1582, when the Gregorian calendar began, and week years before Christ are counted in another way.',
    holds: ({ trial, record }) => {
      const value = record?.value
      const old =
        typeof value === 'number' ? value < YEAR_1583 : /BC/i.test(textOf(record)) || /Y/.test(formatOf(trial))
      return old && /[wWYDF]/.test(formatOf(trial))
    },
  },
  zoneNames: {
    why: 'Of the names of zones, those of RFC 822, UTC and GMT are read; Java knows some hundred more.',
    holds: ({ trial, theirs, ours }) =>
      /z|Z/.test(formatOf(trial)) && theirs.error === undefined && /^Could not parse/.test(ours.error?.message ?? ''),
  },
  otherKeys: {
    why: 'A map without schema may have keys that are no text; Kafka throws a ClassCastException, which no JSON can cause.',
    holds: ({ theirs }) => theirs.error?.class === 'java.lang.ClassCastException',
  },
} as const satisfies Record<string, { readonly why: string; readonly holds: (comparison: Comparison) => boolean }>

const YEAR_1583 = Date.UTC(1583, 0, 1)

function formatOf({ plugin, config }: Comparison['trial']): string {
  return plugin.class.includes('.TimestampConverter$') ? (config['format'] ?? '') : ''
}

function textOf(record: Comparison['record']): string {
  return typeof record?.value === 'string' ? record.value : ''
}

type Failure = NonNullable<Outcome['error']>

interface ErrorDifference {
  readonly why: string
  readonly holds: (theirs: Failure, ours: Failure) => boolean
}

/** The name of the difference; undefined: none is known that explains this. */
export function differenceOf(comparison: Comparison): string | undefined {
  const { ours, theirs } = comparison
  const refusal = Object.entries(REFUSALS).find(([, { holds }]) => holds(comparison))
  if (refusal !== undefined) return refusal[0]
  if (ours.error === undefined || theirs.error === undefined) return undefined
  const found = Object.entries(DIFFERENCES).find(([, { holds }]) => holds(theirs.error!, ours.error!))
  return found?.[0]
}

/** Numbers that are texts, as the float that they name. */
function withoutDigits(result: unknown): string | undefined {
  const numbers = /"(-?\d+\.\d+(?:E-?\d+)?)"/g
  return JSON.stringify(result)?.replaceAll(numbers, (_, text: string) => String(Math.fround(Number(text))))
}

function begins({ message }: Failure, start: string): boolean {
  return message.startsWith(start)
}
