import { closeSignal } from '@tributary/async'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import { aboutReplay, decodeReplay } from '../dead-letters/replay-request.ts'
import { replayView } from '../dead-letters/replay-view.ts'
import { operatorResource } from '../http/operator-resource.ts'
import type { Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, ref } from '../http/schemas.ts'

/** `/dlq/replay…`: dead letters are written again, by the tasks that failed on them. `letters` is null where the service is off. */
export function dlqReplayRoutes(app: FastifyInstance, letters: DeadLetters | null): void {
  const present = (): DeadLetters => {
    if (letters === null) throw restError('dlqOff')
    return letters
  }
  const shown = (id: string, request: FastifyRequest<Route>): object => {
    const replay = present().replay(id, request.identity)
    return replayView(replay, present().results(replay))
  }
  const cancel = async (request: FastifyRequest<Route>): Promise<object> => {
    const id = request.params['replay']!
    if (request.auditWork) request.auditWork.about = `replay ${id}`
    await present().cancel(id, request.identity)
    return shown(id, request)
  }
  const cancelSchema = {
    summary: 'Cancel a replay: what it has written stays written, its other letters are UNRESOLVED again',
    response: answers({ 200: ref('Replay') }, [404, 409]),
  }

  operatorResource(app, '/dlq/replay', {
    GET: {
      right: 'view',
      schema: { summary: 'Replays, the newest first', response: answers({ 200: ref('Replays') }, [404]) },
      handler: (request) => {
        const replays = present().replays(request.identity)
        return { replays: replays.map(({ id }) => shown(id, request)), total: replays.length }
      },
    },
    POST: {
      right: 'operate',
      numbers: 'value',
      schema: {
        summary: 'Replay dead letters, by their ids or by a filter',
        description: 'Edits and target_topic need the right to alter the connectors. A dry run answers 200 at once.',
        body: ref('StartReplay'),
        response: answers({ 200: ref('ReplayDryRun'), 202: ref('ReplayStarted') }, [400, 404, 409, 503]),
      },
      handler: (request, reply) => start(present(), request, reply),
    },
  })

  operatorResource(app, '/dlq/replay/:replay', {
    GET: {
      right: 'view',
      schema: { summary: 'How far a replay is', response: answers({ 200: ref('Replay') }, [404]) },
      handler: (request) => shown(request.params['replay']!, request),
    },
    DELETE: { right: 'operate', schema: cancelSchema, handler: cancel },
  })

  operatorResource(app, '/dlq/replay/:replay/cancel', {
    POST: { right: 'operate', schema: cancelSchema, handler: cancel },
  })
}

async function start(letters: DeadLetters, request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
  const asked = decodeReplay(request.body)
  const { auditWork: work, identity } = request
  if (work) work.about = aboutReplay(asked)
  const replay = await letters.plan(asked, identity)
  if (asked.dryRun) return letters.dryRun(replay, identity, closeSignal(reply.raw))
  if (work) work.about = `${aboutReplay(asked)}: replay ${replay.id} of ${replay.count} letters`
  await letters.begin(replay)
  const path = request.url.split('?', 1)[0]!.replace(/\/$/, '')
  reply.code(202).header('location', `${request.protocol}://${request.host}${path}/${replay.id}`)
  const view = replayView(replay, { success: 0, failed: 0, skipped: 0 }) as Record<string, unknown>
  return {
    replay_id: replay.id,
    status: replay.state,
    dlq_ids_count: replay.count,
    estimated_completion_time: view['estimated_completion_time'],
    retry_strategy: replay.strategy,
    message: `${replay.count} dead letters are replayed. GET ${path}/${replay.id} says how far.`,
  }
}
