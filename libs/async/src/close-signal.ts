/** The part of node:http's ServerResponse that tells its end. */
export interface ClosingResponse {
  readonly writableFinished: boolean
  once(event: 'close', listener: () => void): unknown
}

/** Aborts when the client goes away before it has its answer. */
export function closeSignal(response: ClosingResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'))
  })
  return gone.signal
}
