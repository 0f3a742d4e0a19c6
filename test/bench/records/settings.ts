type Props = Readonly<Record<string, string>>

/** One row of a table. */
export interface Row {
  readonly name: string
  /** Settings of the connector. */
  readonly props: Props
  /** The topic of the records ends with ROUTED, which a transform takes off. */
  readonly routed?: boolean
  /** `alone` encodes plain objects without a schema. */
  readonly plain?: boolean
  /** The row with which this one is compared; absent: the first. */
  readonly against?: string
}

/** The ending of a topic that RegexRouter takes off. */
export const ROUTED = '-in'

/** InsertField, MaskField and RegexRouter, on the message of bench-source. */
const THREE_TRANSFORMS: Props = {
  transforms: 'insert,mask,route',
  'transforms.insert.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.insert.static.field': 'region',
  'transforms.insert.static.value': 'eu-central',
  'transforms.mask.type': 'org.apache.kafka.connect.transforms.MaskField$Value',
  'transforms.mask.fields': 'event_type',
  'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
  'transforms.route.regex': `(.*)${ROUTED}`,
  'transforms.route.replacement': '$1',
}

const STRUCT: Props = { 'grpc.value.format': 'struct' }
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const BARE: Props = { 'value.converter': JSON_CONVERTER, 'value.converter.schemas.enable': 'false' }
const WITH_SCHEMA: Props = { 'value.converter': JSON_CONVERTER }

const onlyIf = (predicate: string): Props => ({
  'transforms.mask.predicate': 'p',
  'transforms.mask.negate': 'true',
  predicates: 'p',
  'predicates.p.type': `org.apache.kafka.connect.transforms.predicates.${predicate}`,
})

export const TRANSFORM_ROWS: readonly Row[] = [
  { name: 'none', props: { ...STRUCT, ...BARE } },
  { name: 'three', props: { ...STRUCT, ...BARE, ...THREE_TRANSFORMS }, routed: true },
  {
    name: 'three, one with a predicate',
    props: { ...STRUCT, ...BARE, ...THREE_TRANSFORMS, ...onlyIf('RecordIsTombstone') },
    routed: true,
  },
]

/** `registry`: the URL of a schema registry. */
export function converterRows(registry: string): readonly Row[] {
  // A subject has schemas of one format.
  const withRegistry = (name: string, strategy: string): Props => ({
    ...STRUCT,
    'value.converter': name,
    'value.converter.schema.registry.url': registry,
    'value.converter.value.subject.name.strategy': strategy,
  })
  return [
    { name: 'JSON text', props: {} },
    { name: 'JsonConverter, no schema', props: { ...STRUCT, ...BARE } },
    { name: 'JsonConverter, schema', props: { ...STRUCT, ...WITH_SCHEMA } },
    { name: 'Avro', props: withRegistry('io.confluent.connect.avro.AvroConverter', 'TopicNameStrategy') },
    { name: 'Protobuf', props: withRegistry('io.confluent.connect.protobuf.ProtobufConverter', 'RecordNameStrategy') },
    {
      name: 'JSON Schema',
      props: withRegistry('io.confluent.connect.json.JsonSchemaConverter', 'TopicRecordNameStrategy'),
    },
  ]
}
