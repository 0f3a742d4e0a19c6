import { startElasticMq } from './elasticmq.ts'
import { startMoto } from './moto.ts'
import type { AwsServer } from './sqs-call.ts'

/** What a test needs to know of a server that it shares. */
export type SharedAws = Pick<AwsServer, 'url' | 'region' | 'accountId'>

const started = new Map<string, Promise<SharedAws>>()

/**
 * The ElasticMQ that tests share: the one in TRIBUTARY_TEST_ELASTICMQ (SharedAws as JSON), which `npm test` passes on, else one
 * that lives as long as this process. Each test uses queues of its own names, and leaves the server unharmed.
 */
export function sharedElasticMq(): Promise<SharedAws> {
  return shared('TRIBUTARY_TEST_ELASTICMQ', startElasticMq)
}

/** The same of moto, in TRIBUTARY_TEST_MOTO. */
export function sharedMoto(): Promise<SharedAws> {
  return shared('TRIBUTARY_TEST_MOTO', startMoto)
}

async function shared(variable: string, start: () => Promise<AwsServer>): Promise<SharedAws> {
  const given = process.env[variable]
  if (given !== undefined && given !== '') return JSON.parse(given) as SharedAws
  let server = started.get(variable)
  if (server === undefined) started.set(variable, (server = startOwn(start)))
  return await server
}

async function startOwn(start: () => Promise<AwsServer>): Promise<SharedAws> {
  const server = await start()
  server.unref()
  return server
}
