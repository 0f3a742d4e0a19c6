import type { ConverterPlugin } from '../plugin.ts'
import { PROTOBUF_SPEC, ProtobufConverter } from './converter.ts'

export const PROTOBUF_CONVERTERS: readonly ConverterPlugin[] = [
  {
    type: 'converter',
    class: 'io.confluent.connect.protobuf.ProtobufConverter',
    aliases: [],
    spec: PROTOBUF_SPEC.data,
    create: () => new ProtobufConverter(),
  },
]
