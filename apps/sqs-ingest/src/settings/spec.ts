import { type ConfigOf, defineConfig } from '@tributary/config'
import { reconnectSettings } from '@tributary/push-source'
import { awsKeys } from './aws.ts'
import { conversionKeys } from './conversion.ts'
import { documentedKeys } from './documented.ts'
import { kafkaKeys } from './kafka.ts'
import { readingKeys } from './reading.ts'
import { schemaRegistryKeys } from './schema-registry.ts'
import { sqsKeys, sqsRules } from './sqs.ts'

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
