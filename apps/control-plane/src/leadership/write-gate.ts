import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Replica } from './elect.ts'
import { type Forwarded, type LeaderProxy, NOT_LEADER, passedOn } from './leader-proxy.ts'
import { AbandonedError } from './under-way.ts'
import { restError } from '../http/rest-errors.ts'

/** What the gate needs of Leadership. */
export interface Lead {
  /** The leader, when it is another replica; null while it is not known. */
  readonly other: Replica | null
  readonly elected: boolean
  readonly ended: boolean
  write<T>(operation: () => Promise<T>): Promise<T> | null
  change(timeoutMs: number): Promise<void>
  leaderGone(leader: Replica): Promise<void>
}

export interface WriteGateOptions {
  readonly lead: Lead
  readonly proxy: Pick<LeaderProxy, 'isForwarded' | 'forward'>
  /** Reads what the leader has written, so that a read that follows here sees it. */
  readonly refresh: (signal: AbortSignal) => Promise<void>
  /** ms that a write waits for a leader before it is answered with 503. */
  readonly waitMs: number
  /** ms that the leader may take for its answer. */
  readonly answerMs: number
  readonly log: Logger
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Between two looks at who leads: a lease that comes back is told by nobody. */
const LOOK_MS = 100
/** A leader that another was elected in place of may still answer what it had begun. */
const FORMER_LEADER_MS = 2000
const REFRESH_MS = 5000

/**
 * Sees to it that only the leader writes: a write that comes to the leader is carried out, one that comes to another replica is
 * sent on. While nobody leads it waits. What can end in doubt is answered so, and never repeated on the client's behalf.
 */
export class WriteGate {
  readonly #options: WriteGateOptions

  constructor(options: WriteGateOptions) {
    this.#options = options
  }

  /** Puts itself before the handlers of all routes that are marked as writes; call it before they are added. */
  guard(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      if (route.config?.write !== true) return
      const handler = route.handler as Handler
      route.handler = (request, reply) => this.#pass(request, reply, handler)
    })
  }

  async #pass(request: FastifyRequest, reply: FastifyReply, handler: Handler): Promise<unknown> {
    const { lead, proxy, waitMs } = this.#options
    const forwarded = proxy.isForwarded(request.headers)
    const deadline = performance.now() + waitMs
    for (;;) {
      // Its client has gone, or has got an answer for the time that it took.
      if (reply.sent || reply.raw.destroyed) return reply
      const written = lead.write(async () => handler(request, reply))
      if (written) return await written.catch(tellDoubt)
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
    const { lead, proxy, answerMs } = this.#options
    const { method, originalUrl: url, headers, rawBody } = request
    const gone = new AbortController()
    const answered = proxy.forward(
      leader.rest,
      { method, url, headers, body: rawBody },
      AbortSignal.any([gone.signal, AbortSignal.timeout(answerMs)]),
    )
    let waiting = true
    const watch = async (): Promise<void> => {
      while (waiting && lead.other?.id === leader.id) await lead.change(LOOK_MS)
      if (waiting) setTimeout(() => gone.abort(new Error('another one leads now')), FORMER_LEADER_MS).unref()
    }
    void watch()
    return await answered.finally(() => (waiting = false))
  }

  async #answer(reply: FastifyReply, answer: Forwarded & { outcome: 'answered' }): Promise<FastifyReply> {
    const { refresh, log } = this.#options
    try {
      await refresh(AbortSignal.timeout(REFRESH_MS))
    } catch (error) {
      // The leader's answer is true all the same; reads here show it a moment later.
      log.warn('refresh_after_write_failed', { error })
    }
    reply.code(answer.status).headers(passedOn(answer.headers))
    return reply.send(answer.body.length > 0 ? answer.body : undefined)
  }
}

/** To the replica that took us for the leader: it looks again, and keeps no connection that we may be about to close. */
function refuse(reply: FastifyReply): FastifyReply {
  const message = 'This replica of the control plane does not lead.'
  return reply
    .code(503)
    .headers({ [NOT_LEADER]: '1', connection: 'close' })
    .send({ error_code: 503, message })
}

/** A write that was fenced or given up, or whose end is in doubt, is never answered as one that was made. */
function tellDoubt(error: unknown): never {
  if (error instanceof AbandonedError) throw restError('writeInDoubt', error.message)
  if ((error as { code?: unknown }).code !== 'PRODUCER_FENCED') throw error
  throw restError('writeInDoubt', 'this replica lost the leadership while it wrote')
}
