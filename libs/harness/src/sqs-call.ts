import { HarnessError } from './errors.ts'
import type { HttpServer } from './http-server.ts'

/** A server that stands for AWS. */
export interface AwsServer extends HttpServer {
  readonly region: string
  /** The account in the URLs of its queues: `<url>/<accountId>/<name>`. */
  readonly accountId: string
}

/**
 * One request of SQS's JSON protocol (AWS JSON 1.0), without the SDK and without a valid signature, which no server of the
 * harness checks. `action`: `SendMessageBatch`. Throws HarnessError with the code and the text of an error answer.
 */
export async function sqsCall<T = unknown>(url: string, action: string, input: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request',
    },
    body: JSON.stringify(input),
  })
  const text = await response.text()
  if (!response.ok) throw new HarnessError(`SQS answered ${action} with ${response.status}: ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as T
}
