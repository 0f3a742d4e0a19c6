import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Replica } from './replicas.ts'
import { type Forwarded, type LeaderProxy, NOT_LEADER, passedOn } from './leader-proxy.ts'
import type { Caller } from './replica-requests.ts'
import { AbandonedError } from './under-way.ts'
import { restError } from '../http/rest-errors.ts'

/** The parts of Leadership that the gate needs. */
export interface Lead {
  /** The leader, if another replica leads; null when the leader is unknown. */
  readonly other: Replica | null
  readonly elected: boolean
  readonly ended: boolean
  write<T>(operation: () => Promise<T>): Promise<T> | null
  change(timeoutMs: number): Promise<void>
  leaderGone(leader: Replica): Promise<void>
}

export interface WriteGateOptions {
  readonly lead: Lead
  readonly proxy: Pick<LeaderProxy, 'forward'>
  /** What the leader is told of the client. Absent: nothing, because the requests to it are not signed. */
  readonly caller?: (request: FastifyRequest) => Caller
  /** Reads what the leader has written, so that a following read on this replica sees the write. */
  readonly refresh: (signal: AbortSignal) => Promise<void>
  /** How long a write waits for a leader, in ms, before it is answered with 503. */
  readonly waitMs: number
  /** How long the leader may take for its answer, in ms. */
  readonly answerMs: number
  readonly log: Logger
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** The time between two looks at the leader. A renewed lease raises no event. */
const LOOK_MS = 100
/** A deposed leader may still answer the writes that it had begun; after this time the gate gives them up. */
const PREDECESSOR_ANSWER_MS = 2000
const REFRESH_MS = 5000

/**
 * Makes sure that only the leader writes. The leader carries a write out; another replica sends the write to the
 * leader. Without a leader the write waits. A write in doubt is reported as such, and is never repeated on the client's
 * behalf.
 */
export class WriteGate {
  readonly #options: WriteGateOptions

  constructor(options: WriteGateOptions) {
    this.#options = options
  }

  /** Puts the gate before the handlers of all write routes. Call `guard` before the routes are added. */
  guard(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      if (route.config?.write !== true) return
      const handler = route.handler as Handler
      route.handler = (request, reply) => this.#pass(request, reply, handler)
    })
  }

  async #pass(request: FastifyRequest, reply: FastifyReply, handler: Handler): Promise<unknown> {
    const { lead, waitMs } = this.#options
    const { forwarded } = request
    const deadline = performance.now() + waitMs
    for (;;) {
      // The client has gone, or the request has timed out and was answered.
      if (reply.sent || reply.raw.destroyed) return reply
      const written = lead.write(async () => handler(request, reply))
      if (written) return await written.catch(throwInDoubt)
      if (forwarded && !lead.elected) return refuse(reply)
      const { other: leader } = lead
      if (leader && !forwarded) {
        const answer = await this.#forward(leader, request)
        if (answer.outcome === 'answered') return await this.#answer(reply, answer)
        if (answer.outcome === 'lost')
          throw restError('writeInDoubt', `the leader, ${leader.rest}, did not answer: ${answer.reason}`)
        if (answer.outcome === 'refused') await lead.leaderGone(leader)
      }
      if (lead.ended || performance.now() >= deadline) {
        reply.header('retry-after', '1')
        throw restError('noLeader')
      }
      await lead.change(LOOK_MS)
    }
  }

  async #forward(leader: Replica, request: FastifyRequest): Promise<Forwarded> {
    const { lead, proxy, caller, answerMs } = this.#options
    const { method, originalUrl: url, rawBody: body, shownId, operators } = request
    const headers = { ...request.headers, ...(operators && { 'x-request-id': shownId }) }
    const gone = new AbortController()
    const answered = proxy.forward(
      leader,
      { method, url, headers, body, caller: caller?.(request), ...(operators && { listener: 'operators' }) },
      AbortSignal.any([gone.signal, AbortSignal.timeout(answerMs)]),
    )
    let waiting = true
    const watch = async (): Promise<void> => {
      while (waiting && lead.other?.id === leader.id) await lead.change(LOOK_MS)
      if (waiting) setTimeout(() => gone.abort(new Error('another one leads now')), PREDECESSOR_ANSWER_MS).unref()
    }
    void watch()
    return await answered.finally(() => (waiting = false))
  }

  async #answer(reply: FastifyReply, answer: Forwarded & { outcome: 'answered' }): Promise<FastifyReply> {
    const { refresh, log } = this.#options
    try {
      await refresh(AbortSignal.timeout(REFRESH_MS))
    } catch (error) {
      // The leader's answer is true in spite of this error. Reads on this replica show the write a moment later.
      log.warn('refresh_after_write_failed', { error })
    }
    reply.code(answer.status).headers(passedOn(answer.headers))
    return reply.send(answer.body.length > 0 ? answer.body : undefined)
  }
}

/**
 * Answers a replica that mistook this one for the leader. That replica looks up the leader again, and keeps no
 * connection to this replica, which may be closing.
 */
function refuse(reply: FastifyReply): FastifyReply {
  const message = 'This replica of the control plane does not lead.'
  return reply
    .code(503)
    .headers({ [NOT_LEADER]: '1', connection: 'close' })
    .send({ error_code: 503, message })
}

/**
 * Turns a fenced or abandoned write into an error that says that the write is in doubt. Such a write must not look
 * successful.
 */
function throwInDoubt(error: unknown): never {
  if (error instanceof AbandonedError) throw restError('writeInDoubt', error.message)
  if ((error as { code?: unknown }).code !== 'PRODUCER_FENCED') throw error
  throw restError('writeInDoubt', 'this replica lost the leadership while it wrote')
}
