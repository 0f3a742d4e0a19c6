import { quantile } from '../support/table.ts'

/** Concurrent requests. */
const LANES = 100
const REPEATS = 9

export interface Created {
  /** Time from the first request to the last answer, in ms. */
  readonly ms: number
  /** Time of one request, p99, in ms. */
  readonly p99Ms: number
  /** Answers other than 201. */
  readonly refused: number
}

/** POSTs a connector for each of `configs`, up to 100 at once. */
export async function createAll(rest: string, configs: readonly { readonly name: string }[]): Promise<Created> {
  const times: number[] = []
  let refused = 0
  let next = 0
  const lane = async (): Promise<void> => {
    for (let config = configs[next++]; config !== undefined; config = configs[next++]) {
      const startedAt = performance.now()
      const response = await fetch(`http://${rest}/connectors`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: config.name, config }),
      })
      const text = await response.text()
      times.push(performance.now() - startedAt)
      if (response.status === 201) continue
      refused++
      console.error(`${config.name}: ${response.status} ${text}`)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: Math.min(LANES, configs.length) }, lane))
  const ms = performance.now() - startedAt
  return {
    ms,
    p99Ms: quantile(
      times.sort((a, b) => a - b),
      0.99,
    ),
    refused,
  }
}

/**
 * GETs a path several times. Returns the median time until the whole body has arrived, in ms, and the bytes of the
 * body.
 */
export async function timeGet(rest: string, path: string): Promise<{ readonly ms: number; readonly body: string }> {
  const times: number[] = []
  let body = ''
  for (let i = 0; i < REPEATS; i++) {
    const startedAt = performance.now()
    const response = await fetch(`http://${rest}${path}`)
    body = await response.text()
    times.push(performance.now() - startedAt)
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${body}`)
  }
  return {
    ms: quantile(
      times.sort((a, b) => a - b),
      0.5,
    ),
    body,
  }
}
