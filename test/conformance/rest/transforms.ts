import type { Step } from '../both-sides.ts'
import type { DifferenceName } from '../differences.ts'
import { CONFIG, FILE_SOURCE, get, validate } from './steps.ts'

/** The classes of Kafka's transforms and predicates, below its package. */
const CLASSES: readonly string[] = [
  ...[
    ...['Cast', 'ExtractField', 'Flatten', 'HeaderFrom', 'HoistField', 'InsertField', 'MaskField', 'ReplaceField'],
    ...['SetSchemaMetadata', 'TimestampConverter'],
  ].flatMap((name) => [`${name}$Key`, `${name}$Value`]),
  ...['DropHeaders', 'Filter', 'InsertHeader', 'RegexRouter', 'TimestampRouter', 'ValueToKey'],
  ...['predicates.HasHeaderKey', 'predicates.RecordIsTombstone', 'predicates.TopicNameMatches'],
]
const kafkas = (name: string): string => `org.apache.kafka.connect.transforms.${name}`

/** Settings of a transform with the alias `a`. */
const a = (type: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  transforms: 'a',
  'transforms.a.type': kafkas(type),
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`transforms.a.${key}`, value])),
})
/** Settings of a predicate with the alias `p`. */
const p = (type: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  predicates: 'p',
  'predicates.p.type': kafkas(`predicates.${type}`),
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`predicates.p.${key}`, value])),
})

const valid = (more: Record<string, unknown>, differs?: DifferenceName): Step =>
  validate({ ...CONFIG, name: 'n', ...more }, differs && { differs })

/** Classes that want one of several settings, which their validation does not say. */
const AT_START = /^(InsertField|SetSchemaMetadata)\$/

function differenceOf(name: string): DifferenceName | undefined {
  if (name === 'RegexRouter' || name === 'predicates.TopicNameMatches') return 'missingPattern'
  return AT_START.test(name) ? 'foundBeforeStart' : undefined
}

/** Each class without settings. */
const WITHOUT_SETTINGS: readonly Step[] = CLASSES.map((name) => {
  const isPredicate = name.startsWith('predicates.')
  return valid(isPredicate ? p(name.slice('predicates.'.length)) : a(name), differenceOf(name))
})

export const TRANSFORMS: readonly Step[] = [
  ...[...CLASSES.map(kafkas), 'RegexRouter', 'HasHeaderKey', 'TimestampRouter', 'ValueToKey'].map((plugin) =>
    get(`/connector-plugins/${encodeURIComponent(plugin)}/config`),
  ),
  ...WITHOUT_SETTINGS,
  valid(a('InsertField$Value', { 'static.field': 'x', 'static.value': 'y', predicate: 'p' }), 'foundBeforeStart'),
  valid(a('Cast$Value', { spec: 'a:nix' })),
  ...[
    {
      ...a('InsertField$Value', { 'static.field': 'x', 'static.value': 'y', predicate: 'p', negate: 'TRUE' }),
      ...p('HasHeaderKey', { name: 'h' }),
    },
    { ...a('Filter', { predicate: 'p', negate: 'perhaps' }), ...p('RecordIsTombstone') },
    a('Filter', { negate: 'true' }),
    a('Filter', { negate: 'perhaps' }),
    a('Filter', { predicate: null }),
    a('Filter', { nothing: 'x' }),
    a('InsertField'),
    a('predicates.HasHeaderKey'),
    p('TopicNameMatches', { pattern: 'a.*' }),
    p('TopicNameMatches', { pattern: '' }),
    p('HasHeaderKey', { name: '' }),
    { predicates: 'p', 'predicates.p.type': kafkas('Filter') },
    { transforms: 'a', 'transforms.a.type': FILE_SOURCE },
    { transforms: 'a', 'transforms.a.type': 'RegexRouter', 'transforms.a.regex': 'x', 'transforms.a.replacement': 'y' },
    { transforms: 'a', 'transforms.a.type': ` ${kafkas('Filter')} ` },
    { transforms: 'a', 'transforms.a.type': '' },
    { transforms: 'a', 'transforms.a.type': null },
    { transforms: 'a', 'transforms.a.type': 'nix', 'transforms.a.negate': 'true' },
    { transforms: 'a', 'predicates.p.type': 'nix' },
    { ...a('RegexRouter', { regex: 'x', replacement: 'y' }), transforms: 'a,a', predicates: ' , ' },
    {
      ...a('RegexRouter', { regex: 'x', replacement: 'y' }),
      ...p('TopicNameMatches', { pattern: 'x' }),
      transforms: 'b,a',
    },
    a('MaskField$Value', { fields: '', replacement: '' }),
    a('Cast$Key', { spec: 'int8' }),
    a('TimestampConverter$Value', { 'target.type': 'nix', 'unix.precision': 'nix' }),
    a('TimestampRouter', { 'timestamp.format': 'yyyy', 'topic.format': '' }),
    a('ReplaceField$Value', { renames: 'a:b,c' }),
    a('HeaderFrom$Value', { fields: 'a', headers: 'h', operation: 'nix' }),
    a('Flatten$Value', { delimiter: '' }),
    a('ExtractField$Key', { field: 'a.b', 'field.syntax.version': 'V2', 'replace.null.with.default': 'perhaps' }),
    a('SetSchemaMetadata$Value', { 'schema.version': 'x' }),
  ].map((more) => valid(more)),
]
