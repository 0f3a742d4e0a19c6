import { Agent, type AgentOptions } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { allowedAddress, ConfigError } from '@tributary/connect-api'
import type { AwsSettings } from './settings.ts'

/** The longest long poll of SQS, in ms. */
const LONGEST_POLL_MS = 20_000

/** Connections of a task to AWS. */
export interface Connections {
  /** Options of the SDK's own handler, NodeHttpHandler. All clients of a task get the same agents. */
  readonly handler: HandlerOptions
  /** The same for receives: a long poll holds its connection for up to 20 s, and other requests must not wait for it. */
  readonly receiving: HandlerOptions
  /** Closes idle connections now, and the others when their requests have ended. */
  close(): void
}

interface HandlerOptions extends Record<string, unknown> {
  readonly httpAgent: Agent
  readonly httpsAgent: SecureAgent
  readonly requestTimeout: number
}

/**
 * Connections that are kept open between requests, at most `maxConnections` to a host. Receives have connections of their own, as many
 * as there are lanes: each queue has one at least.
 */
export function connections({ requestTimeoutMs, maxConnections }: AwsSettings): Connections {
  const open = (maxSockets: number): Pick<HandlerOptions, 'httpAgent' | 'httpsAgent'> => {
    const options: AgentOptions = { keepAlive: true, maxSockets, maxFreeSockets: maxConnections }
    return { httpAgent: guarded(new Agent(options)), httpsAgent: guarded(new SecureAgent(options)) }
  }
  const [shared, receiving] = [open(maxConnections), open(Infinity)]
  const common = {
    connectionTimeout: Math.ceil(requestTimeoutMs / 3),
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
    socketTimeout: requestTimeoutMs + LONGEST_POLL_MS,
    logger: SILENT,
  }
  return {
    handler: { ...common, ...shared },
    receiving: { ...common, ...receiving },
    close() {
      for (const agent of [shared, receiving].flatMap(({ httpAgent, httpsAgent }) => [httpAgent, httpsAgent])) {
        agent.maxFreeSockets = 0
        for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy())
      }
    },
  }
}

/** The agent connects to no address that the worker denies. */
function guarded<T extends Agent>(agent: T): T {
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    try {
      return connect({ ...options, ...allowedAddress(options.host ?? 'localhost') }, callback)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      // The request fails with the error.
      callback?.(error, undefined as never)
      return undefined
    }
  }
  return agent
}

/** The SDK warns on the console where it has no logger, once a request for some queue URLs. Failures arrive as errors anyway. */
export const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
