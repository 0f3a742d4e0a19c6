import { HarnessError, startElasticMq } from '@tributary/harness'
import { freshLog, lastPort, shortPath, type Places } from './places.ts'

/** The queue of SQS that the demo reads. */
export interface SqsAddress {
  /** `http://127.0.0.1:9324` */
  readonly endpoint: string
  readonly region: string
  /** URL of the queue. */
  readonly queue: string
  /** Null: the credentials of AWS's own variables, files and roles. */
  readonly keys: { readonly id: string; readonly secret: string } | null
}

export interface LocalSqs extends SqsAddress {
  /** Where this SQS comes from, in words for the user. */
  readonly origin: string
  /** Ends ElasticMQ if the launcher started it. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** The queue that demo-feed creates. */
const QUEUE = 'tributary-demo'
/** An account of a local SQS, where the environment names none. */
const NO_ACCOUNT = '000000000000'

/**
 * The SQS that TRIBUTARY_DEMO_SQS_ENDPOINT names, with the account of TRIBUTARY_DEMO_SQS_ACCOUNT; else an ElasticMQ of the
 * launcher's own. Null where ElasticMQ cannot be started: the demo then leaves SQS out, and says why.
 */
export async function provideSqs(places: Places, say: (line: string) => void): Promise<LocalSqs | null> {
  const given = process.env['TRIBUTARY_DEMO_SQS_ENDPOINT']
  if (given === undefined || given === '') return await elasticMq(places, say)
  const endpoint = given.replace(/\/+$/, '')
  const account = process.env['TRIBUTARY_DEMO_SQS_ACCOUNT'] ?? NO_ACCOUNT
  const nothing = async (): Promise<void> => undefined
  return {
    endpoint,
    region: process.env['AWS_REGION'] ?? 'us-east-1',
    queue: `${endpoint}/${account}/${QUEUE}`,
    keys: null,
    origin: 'as TRIBUTARY_DEMO_SQS_ENDPOINT says',
    stop: nothing,
    kill: nothing,
  }
}

async function elasticMq(places: Places, say: (line: string) => void): Promise<LocalSqs | null> {
  const logFile = freshLog(places, 'elasticmq')
  try {
    const server = await startElasticMq({
      port: await lastPort(places, 'elasticmq'),
      logFile,
      onFetch: (what) => say(`fetching ${what}, which is needed only once`),
    })
    let ending = false
    void server.exited.then(() => {
      if (!ending) say(`elasticmq ended, and the demo of SQS with it; its log is ${shortPath(logFile)}`)
    })
    const end = (how: 'stop' | 'kill') => (): Promise<void> => {
      ending = true
      return server[how]()
    }
    return {
      endpoint: server.url,
      region: server.region,
      queue: `${server.url}/${server.accountId}/${QUEUE}`,
      keys: { id: 'demo', secret: 'demo' },
      origin: 'ElasticMQ on Java',
      stop: end('stop'),
      kill: end('kill'),
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error
    say(`The demo leaves SQS out. ${error.message}`)
    return null
  }
}
