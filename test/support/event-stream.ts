import { type ClientRequest, request } from 'node:http'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

export interface ServerEvent {
  readonly event: string
  readonly data: unknown
}

/** What a client of server-sent events has got. */
export interface Events {
  readonly all: readonly ServerEvent[]
  /** The data of the events of this name. */
  of<T>(event: string): T[]
  /** Whether the server has ended the stream. */
  readonly ended: boolean
  close(): void
}

/** Opens a stream of server-sent events, which the end of the test closes. Rejects unless it is answered with 200. */
export async function openEvents(t: TestContext, url: string): Promise<Events> {
  const all: ServerEvent[] = []
  const state = { ended: false, answered: null as string | null }
  let rest = ''
  const outgoing: ClientRequest = request(url, { headers: { accept: 'text/event-stream' } }, (answer) => {
    state.answered = `${answer.statusCode} ${answer.headers['content-type']}`
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
        if (event !== undefined) all.push({ event, data: JSON.parse(data!) })
      }
    })
    answer.on('end', () => (state.ended = true))
    answer.on('error', () => {})
  })
  const failed = new Promise<never>((_, reject) => outgoing.once('error', reject))
  failed.catch(() => {})
  outgoing.end()
  const close = (): void => void outgoing.destroy()
  t.after(close)
  await Promise.race([failed, until('the stream is answered', () => state.answered !== null)])
  if (state.answered !== '200 text/event-stream') throw new Error(`the stream is answered with ${state.answered}`)
  return {
    all,
    of: <T>(name: string) => all.flatMap(({ event, data }) => (event === name ? [data as T] : [])),
    get ended() {
      return state.ended
    },
    close,
  }
}
