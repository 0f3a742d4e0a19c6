import { type ConfigOf, defineConfig } from '@tributary/config'
import { reconnectSettings } from '@tributary/push-source'
import { awsKeys } from './settings/aws.ts'
import { conversionKeys } from './settings/conversion.ts'
import { documentedKeys } from './settings/documented.ts'
import { kafkaKeys } from './settings/kafka.ts'
import { readingKeys } from './settings/reading.ts'
import { schemaRegistryKeys } from './settings/schema-registry.ts'
import { sqsKeys, sqsRules } from './settings/sqs.ts'

export const reconnect = reconnectSettings('sqs')

/** The settings of an SQS source, beside the framework's. `settings/read.ts` reads them. */
export const sqsSpec = defineConfig(
  {
    ...awsKeys,
    ...sqsKeys,
    ...kafkaKeys,
    ...readingKeys,
    ...conversionKeys,
    ...schemaRegistryKeys,
    ...reconnect.keys,
    ...documentedKeys,
  },
  { rules: sqsRules },
)

export type SqsConfig = ConfigOf<typeof sqsSpec>
