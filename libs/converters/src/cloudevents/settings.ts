import { defineConfig } from '@tributary/config'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'

const GROUP = 'CloudEvents'

export const CLOUD_EVENTS_SPEC = defineConfig(
  {
    ...CONVERTER_TYPE,
    'content.mode': {
      type: 'string',
      default: 'structured',
      validator: { kind: 'oneOf', values: ['structured', 'binary'] },
      importance: 'high',
      group: GROUP,
      order: 1,
      width: 'medium',
      doc: 'structured: the value is the whole event as JSON. binary: the value is the data, and headers `ce_…` have the attributes.',
    },
    'serializer.type': {
      type: 'string',
      default: 'json',
      validator: { kind: 'oneOf', values: ['json'] },
      importance: 'high',
      group: GROUP,
      order: 2,
      width: 'medium',
      doc: 'How a structured event is written.',
    },
    'data.serializer.type': {
      type: 'string',
      default: 'json',
      validator: { kind: 'oneOf', values: ['json', 'avro', 'protobuf', 'jsonschema'] },
      importance: 'high',
      group: GROUP,
      order: 3,
      width: 'medium',
      doc: 'How the data is written. All but json need a schema registry, and are in a structured event as Base64. The settings of that converter have its name as prefix: `avro.schema.registry.url`.',
    },
    'attributes.source': {
      type: 'string',
      default: '/tributary/{topic}',
      importance: 'medium',
      group: GROUP,
      order: 4,
      width: 'medium',
      doc: 'The attribute `source`, a URI reference. `{topic}` stands for the topic of the record.',
    },
    'attributes.type': {
      type: 'string',
      default: 'io.tributary.record',
      importance: 'medium',
      group: GROUP,
      order: 5,
      width: 'medium',
      doc: 'The attribute `type`. `{topic}` stands for the topic of the record.',
    },
    'metadata.headers': {
      type: 'list',
      default: [],
      importance: 'medium',
      group: GROUP,
      order: 6,
      width: 'long',
      example: 'id:sqs_message_id,type:event_type',
      doc: 'Attributes that are the text of a header: `attribute:header`, parted by commas. An attribute without its header is made as if it were not listed. Without an `id` each record gets a random UUID, so a record that is delivered twice is two events.',
    },
  },
  {
    prefixes: {
      'json.': {
        importance: 'medium',
        group: GROUP,
        doc: 'A setting of JsonConverter, for data as JSON. `json.schemas.enable` is false here unless set.',
      },
      'avro.': {
        importance: 'medium',
        group: GROUP,
        doc: 'A setting of AvroConverter, for data as Avro.',
        sensitive: true,
      },
      'protobuf.': {
        importance: 'medium',
        group: GROUP,
        doc: 'A setting of ProtobufConverter, for data as Protobuf.',
        sensitive: true,
      },
      'jsonschema.': {
        importance: 'medium',
        group: GROUP,
        doc: 'A setting of JsonSchemaConverter, for data as JSON with a schema.',
        sensitive: true,
      },
    },
  },
)

export interface CloudEventsSettings {
  readonly isBinary: boolean
  readonly data: 'json' | 'avro' | 'protobuf' | 'jsonschema'
  readonly source: string
  readonly type: string
  /** Attribute → header. */
  readonly headers: ReadonlyMap<string, string>
}

/** Throws ConfigError. */
export function cloudEventsSettings(config: Readonly<Record<string, string>>): CloudEventsSettings {
  const settings = CLOUD_EVENTS_SPEC.parse(config)
  return {
    isBinary: settings['content.mode'] === 'binary',
    data: settings['data.serializer.type'] as CloudEventsSettings['data'],
    source: settings['attributes.source'],
    type: settings['attributes.type'],
    headers: new Map(settings['metadata.headers'].map(attributeAndHeader)),
  }
}

/** Names of attributes (CloudEvents 1.0, "Naming conventions"). */
const ATTRIBUTE = /^[a-z0-9]{1,20}$/

export function isAttribute(name: string): boolean {
  return ATTRIBUTE.test(name) && name !== 'data'
}

function attributeAndHeader(entry: string): [string, string] {
  const colon = entry.indexOf(':')
  const [attribute, header] = [entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()]
  if (colon > 0 && header !== '' && isAttribute(attribute) && attribute !== 'specversion') return [attribute, header]
  throw converterErrors.CONVERTER_CONFIG_INVALID(
    `Invalid value ${entry} for configuration metadata.headers: write attribute:header, where the attribute has at most 20 small letters and digits`,
    { field: 'metadata.headers' },
  )
}
