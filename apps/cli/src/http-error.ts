import { CliError, EXIT, type ExitCode, HttpError } from './cli-error.ts'

export interface Refusal {
  readonly method: string
  readonly path: string
  readonly status: number
  /** As JSON where it is that, else the text. */
  readonly body: unknown
  readonly server: string
  /** Seconds. */
  readonly retryAfter: string | null
  /** Whether the request had credentials. */
  readonly known: boolean
}

/** The text of Kafka Connect for a path that it does not have. */
const NO_SUCH_PATH = 'HTTP 404 Not Found'

/** The error for an answer of 400 and above. */
export function httpError(refusal: Refusal): HttpError | CliError {
  const { path, status, server } = refusal
  const said = messageOf(refusal.body)
  if (status === 404 && said === NO_SUCH_PATH) return missingFunction(refusal)
  const words = said ?? `HTTP ${status}`
  const message =
    status === 401 ? `${server} does not know you: ${words}` : status === 403 ? `${server} refused: ${words}` : words
  return new HttpError(exitCodeOf(status), status, path, message, adviceOf(refusal, words))
}

function missingFunction({ method, path, server }: Refusal): CliError {
  return new CliError(
    EXIT.failed,
    `${server} has no ${method} ${path}.`,
    'The command needs Tributary, or a newer version of it: `tributary version` shows what answers there.',
  )
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.refused
  return status === 404 ? EXIT.notFound : EXIT.failed
}

function messageOf(body: unknown): string | null {
  if (typeof body === 'string')
    return body.trim() === '' || body.trimStart().startsWith('<') ? null : body.slice(0, 2000)
  const { message } = (body ?? {}) as { message?: unknown }
  return typeof message === 'string' && message !== '' ? message : null
}

function adviceOf({ status, path, retryAfter, known }: Refusal, words: string): string | null {
  if (status === 401) {
    return known
      ? 'The key or password may have expired or been revoked: `tributary login` stores another one; TRIBUTARY_TOKEN goes before it.'
      : 'Run `tributary login`, or set TRIBUTARY_TOKEN to an API key.'
  }
  if (status === 403) return 'Ask an administrator for a key with that right, and store it by `tributary login`.'
  if (status === 429) return `Try again ${retryAfter === null ? 'later' : `in ${retryAfter} s`}.`
  if (status === 409 && /already exists/.test(words))
    return '`tributary apply -f FILE` changes a connector that exists.'
  if (status === 409 && path.endsWith('/config/rollback') && /does not keep secrets/.test(words)) return 'Write them into a file, and name it by `--secrets FILE`.' // prettier-ignore
  if (status === 409 && /momentarily|rebalance/.test(words)) return 'Try again in some seconds.'
  if (status === 400 && path.endsWith('/offsets')) return 'Offsets change while a connector is STOPPED: `tributary stop NAME --wait`, and `tributary resume NAME` afterwards.' // prettier-ignore
  if (status === 400 && /configuration is invalid|error\(s\)/.test(words)) return '`tributary validate -f FILE` lists each error with its key.' // prettier-ignore
  // 502 of a preview: the source is away, and the server is well.
  if (status >= 500 && status !== 502) return '`tributary health` says how the server is; its log says more.'
  return null
}
