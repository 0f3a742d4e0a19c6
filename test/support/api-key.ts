import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const main = new URL('../../apps/control-plane/src/main.ts', import.meta.url).pathname

/** Makes an API key with a grant, as an operator does: by the command. */
export async function makeApiKey(brokers: readonly string[], cluster: string, grant = 'admin'): Promise<string> {
  const env = { ...process.env, KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: cluster }
  const args = [main, 'keys', 'create', `test-${grant}`, '--grant', grant]
  return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim()
}

/** The URL with the key as the password of the user `key`, which old clients know how to send. */
export function withKey(url: string, key: string): string {
  return url.replace('://', `://key:${key}@`)
}
