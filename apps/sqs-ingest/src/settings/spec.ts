import { type ConfigOf, defineConfig } from '@tributary/config'
import { BODY_KEYS, BODY_RULES } from '@tributary/converters/body'
import { reconnectSettings } from '@tributary/push-source'
import { awsKeys } from './aws.ts'
import { conversionKeys } from './conversion.ts'
import { documentedKeys } from './documented.ts'
import { kafkaKeys } from './kafka.ts'
import { readingKeys } from './reading.ts'
import { moreRegistryKeys, schemaRegistryKeys } from './schema-registry.ts'
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
    ...moreRegistryKeys,
    ...BODY_KEYS,
    ...reconnect.keys,
    ...documentedKeys,
  },
  { rules: [...sqsRules, ...BODY_RULES] },
)

export type SqsConfig = ConfigOf<typeof sqsSpec>
