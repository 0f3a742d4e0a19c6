import {
  AVRO_CONVERTER,
  CLAIM_CHECK_CONVERTER,
  type conversionKeys,
  DECOMPRESSING_CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CONVERTER,
  JSON_SCHEMA_CONVERTER,
  PROTOBUF_CONVERTER,
} from '../settings/conversion.ts'
import type { ValuesOf } from '@tributary/config'

/** A message converter of the JVM connector that writes records with a schema registry. */
export interface RegistryConverter {
  /** As the header `sqs.schema.type` has it. */
  readonly type: 'Avro' | 'Protobuf' | 'JSON Schema'
  /** The converter of Kafka Connect that writes such records. */
  readonly valueConverter: string
  /** Avro and Protobuf allow only letters, digits and _ in names. */
  readonly legalNames: boolean
  /** Before the name of the topic in the name of the inferred schema, as in the JVM connector. */
  readonly namespace: string
}

const CONVERTERS: Readonly<Record<string, RegistryConverter>> = {
  [AVRO_CONVERTER]: {
    type: 'Avro',
    valueConverter: 'io.confluent.connect.avro.AvroConverter',
    legalNames: true,
    namespace: 'io.connect.sqs.avro.',
  },
  [PROTOBUF_CONVERTER]: {
    type: 'Protobuf',
    valueConverter: 'io.confluent.connect.protobuf.ProtobufConverter',
    legalNames: true,
    namespace: 'io.connect.sqs.protobuf.',
  },
  [JSON_SCHEMA_CONVERTER]: {
    type: 'JSON Schema',
    valueConverter: 'io.confluent.connect.json.JsonSchemaConverter',
    legalNames: false,
    namespace: '',
  },
}

type Classes = Pick<
  ValuesOf<typeof conversionKeys>,
  | 'message.converter.class'
  | 'message.decompression.delegate.converter.class'
  | 'message.claimcheck.delegate.converter.class'
>

/** The converter with a registry in which the message converter and its delegates end; null: none. */
export function registryConverter(settings: Classes): RegistryConverter | null {
  let name = settings['message.converter.class']
  // Longer chains are circles, which `createConverter` refuses.
  for (let i = 0; i < 4; i++) {
    if (Object.hasOwn(CONVERTERS, name)) return CONVERTERS[name]!
    if (name === CLAIM_CHECK_CONVERTER) name = settings['message.claimcheck.delegate.converter.class']
    else if (name === DECOMPRESSING_CONVERTER || name === DECOMPRESSING_CLAIM_CHECK_CONVERTER) {
      name = settings['message.decompression.delegate.converter.class']
    } else return null
  }
  return null
}
