/**
 * The limit: a program that only receives and deletes, in lanes. Arguments: `sdk` | `http` (node:http with a fixed signature, which
 * ElasticMQ does not read), URL of the queue, lanes, messages in the queue, `profile` or nothing.
 *
 * Prints `ms=<n> cpu_us=<n> rss=<n>` when it has deleted as many, counted from the first answer, and with `profile` also where
 * the CPU went, in parts of 1: `sdk=<n> node=<n> gc=<n> own=<n> idle=<n>`.
 */
import { Agent, request } from 'node:http'
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startProfile } from './profile.ts'

interface Received {
  readonly ReceiptHandle?: string | undefined
}

const [kind = '', queue = '', lanes = '', count = '', profiled = ''] = process.argv.slice(2)
const RECEIVE = { QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 30 }
const entries = (messages: readonly Received[]): { Id: string; ReceiptHandle: string }[] =>
  messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle: ReceiptHandle! }))

const sqs = new SQSClient({
  region: 'us-east-1',
  endpoint: new URL(queue).origin,
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
})
const agent = new Agent({ keepAlive: true, maxSockets: Number(lanes) })

/** One request of the JSON protocol with as little around it as node:http allows. */
function call(action: string, input: object): Promise<{ readonly Messages?: readonly Received[] }> {
  const body = JSON.stringify(input)
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}`, 'content-length': Buffer.byteLength(body) } // prettier-ignore
  return new Promise((resolve, reject) => {
    const sent = request(queue, { method: 'POST', headers, agent }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as { Messages?: Received[] }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const receive = async (): Promise<readonly Received[]> =>
  (kind === 'sdk' ? await sqs.send(new ReceiveMessageCommand(RECEIVE)) : await call('ReceiveMessage', RECEIVE)).Messages ?? [] // prettier-ignore

async function remove(messages: readonly Received[]): Promise<void> {
  const input = { QueueUrl: queue, Entries: entries(messages) }
  if (kind === 'sdk') await sqs.send(new DeleteMessageBatchCommand(input))
  else await call('DeleteMessageBatch', input)
}

let startedAt = 0
let before = process.cpuUsage()
let left = Number(count)
let stopProfile: (() => Promise<string>) | undefined

async function lane(): Promise<void> {
  while (left > 0) {
    const messages = await receive()
    if (startedAt === 0 && messages.length > 0) {
      startedAt = performance.now()
      before = process.cpuUsage()
      if (profiled !== '') stopProfile = await startProfile()
    }
    if (messages.length > 0) await remove(messages)
    left -= messages.length
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, lane))
const { user, system } = process.cpuUsage(before)
const ms = performance.now() - startedAt
const shares = (await stopProfile?.()) ?? ''
console.log(`ms=${ms} cpu_us=${user + system} rss=${process.resourceUsage().maxRSS * 1024} ${shares}`)
process.stdin.on('end', () => process.exit(0)).resume()
process.on('SIGTERM', () => process.exit(0))
