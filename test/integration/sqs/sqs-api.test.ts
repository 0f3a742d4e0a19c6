import { sharedElasticMq, sharedMoto } from '@tributary/harness'
import { sqsApiContract } from '../../../apps/sqs-ingest/test/sqs-api-contract.ts'
import { fakePlace, sqsPlace } from '../../support/sqs-places.ts'

sqsApiContract('the fake of the unit tests', async () => fakePlace())
sqsApiContract('ElasticMQ', async () => sqsPlace(await sharedElasticMq()))
sqsApiContract('moto', async () => sqsPlace(await sharedMoto()))
