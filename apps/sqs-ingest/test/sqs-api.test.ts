import { sharedElasticMq, sharedMoto } from '@tributary/harness'
import { sqsApiContract } from './sqs-api-contract.ts'
import { sqsPlace } from './sqs-places.ts'

sqsApiContract('ElasticMQ', async () => sqsPlace(await sharedElasticMq()))
sqsApiContract('moto', async () => sqsPlace(await sharedMoto()))
