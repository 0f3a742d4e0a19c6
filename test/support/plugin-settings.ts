import type { ConfigSpecData, KeySpec } from '@tributary/config'

type Props = Readonly<Record<string, string>>

/** Settings that a spec does not tell by itself, by the class without `$Key` and `$Value`. */
const OWN: Readonly<Record<string, Props>> = {
  'org.apache.kafka.connect.transforms.Cast': { spec: 'int32:string,float64:int64' },
  'org.apache.kafka.connect.transforms.DropHeaders': { headers: 'h' },
  'org.apache.kafka.connect.transforms.HeaderFrom': { fields: 'a', headers: 'h', operation: 'move' },
  'org.apache.kafka.connect.transforms.InsertField': { 'static.field': 'inserted', 'static.value': 'v' },
  'org.apache.kafka.connect.transforms.InsertHeader': { header: 'h', 'value.literal': '1' },
  'org.apache.kafka.connect.transforms.RegexRouter': { regex: '(q)(.*)', replacement: '$2-$1' },
  'org.apache.kafka.connect.transforms.SetSchemaMetadata': { 'schema.name': 'com.example.Named' },
  'org.apache.kafka.connect.transforms.TimestampConverter': { 'target.type': 'unix', field: 'timestamp' },
}

/** Settings with which a plugin can be created: those of the table, and something for each other required key. */
export function settingsFor({ class: name, spec }: { class: string; spec: ConfigSpecData }): Props {
  const own = OWN[name.replace(/\$(Key|Value)$/, '')] ?? {}
  const required = Object.entries(spec.keys).filter(([, key]) => key.default === undefined)
  return { ...Object.fromEntries(required.map(([key, keySpec]) => [key, anythingFor(keySpec)])), ...own }
}

function anythingFor({ type, validator, example }: KeySpec): string {
  if (example !== undefined) return example
  if (validator?.kind === 'oneOf') return validator.values[0]!
  if (type === 'boolean') return 'true'
  return type === 'int' || type === 'long' || type === 'double' ? '1' : 'string'
}
