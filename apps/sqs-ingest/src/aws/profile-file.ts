import { readRegularFile } from '@tributary/config'
import { sqsErrors } from '../errors.ts'

const FIELD = 'aws.credentials.file.path'
/** These files of AWS's own variables belong to whoever runs the worker. */
const OPERATORS = ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']

/**
 * Looks at the credentials file that a configuration names before AWS's SDK reads it, which would wait for a pipe, read a device
 * until the memory is full, and run what `credential_process` says. Whoever writes a configuration may name any file of the worker,
 * such as one that holds his own messages, so a program runs only from the operator's files. Throws ConfigError.
 */
export async function checkProfileFile(
  path: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const text = await read(path)
  if (text === null || OPERATORS.some((name) => env[name] === path)) return
  if (/^\s*credential_process\s*=/im.test(text)) {
    throw invalid(path, `it has a credential_process, which runs only from the files of ${OPERATORS.join(' and ')}`)
  }
  for (const [, token = ''] of text.matchAll(/^\s*web_identity_token_file\s*=\s*(.*?)\s*$/gim)) await read(token)
}

/** null: there is no such file, which the SDK tells in its words. */
async function read(path: string): Promise<string | null> {
  try {
    return (await readRegularFile(path)).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw invalid(path, (error as Error).message, error)
  }
}

function invalid(path: string, reason: string, cause?: unknown): Error {
  return sqsErrors.SQS_CREDENTIALS(`Cannot take credentials from ${path}: ${reason}`, { field: FIELD, cause })
}
