/** Parameters by which all of Confluent's converters mark enums and unions with `generalized.sum.type.support`. */
export const GENERALIZED_ENUM = 'org.apache.kafka.connect.data.Enum'
export const GENERALIZED_UNION = 'org.apache.kafka.connect.data.Union'
