import { sharedElasticMq, sharedMoto } from '@tributary/harness'
import { sqsApiContract } from '../../../apps/sqs-ingest/test/sqs-api-contract.ts'
import { sqsPlace } from './places.ts'

sqsApiContract('ElasticMQ', async () => sqsPlace(await sharedElasticMq()))
sqsApiContract('moto', async () => sqsPlace(await sharedMoto()))
