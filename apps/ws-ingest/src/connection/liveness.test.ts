import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Liveness, type LivenessOptions } from './liveness.ts'

interface Scene {
  readonly liveness: Liveness
  readonly sent: string[]
  /** Ticks every 100 ms up to a time; returns when and why the connection was given up. */
  runTo(ms: number): string | null
}

function scene(options: Partial<LivenessOptions>, paused: (ms: number) => boolean = () => false): Scene {
  const sent: string[] = []
  const liveness = new Liveness(
    {
      pingIntervalMs: 0,
      pongTimeoutMs: 1000,
      ping: () => sent.push(`ping ${now}`),
      heartbeat: null,
      idleTimeoutMs: 0,
      ...options,
      ...(options.heartbeat ? { heartbeat: { ...options.heartbeat, send: () => sent.push(`heartbeat ${now}`) } } : {}),
    },
    0,
    0,
  )
  let now = 0
  let running = 0
  const runTo = (ms: number): string | null => {
    while (now < ms) {
      now += 100
      if (!paused(now)) running += 100
      const reason = liveness.tick(now, running)
      if (reason !== null) return `${now}: ${reason}`
    }
    return null
  }
  return { liveness, sent, runTo }
}

const heartbeat = (timeoutMs: number | null) => ({ intervalMs: 2000, timeoutMs, send: () => {} })

describe('the liveness checks of a connection', () => {
  test('an unanswered ping is detected after its timeout', () => {
    const { runTo, sent } = scene({ pingIntervalMs: 3000 })
    assert.equal(runTo(10_000), '4000: no pong within 1000 ms of a ping')
    assert.deepEqual(sent, ['ping 3000'])
  })

  test('a pong, or other data, answers a ping', () => {
    const { runTo, sent, liveness } = scene({ pingIntervalMs: 3000 })
    runTo(3500)
    liveness.heard()
    assert.equal(runTo(6500), null)
    liveness.data()
    assert.equal(runTo(9900), null)
    assert.deepEqual(sent, ['ping 3000', 'ping 6000', 'ping 9000'])
  })

  test('without an interval there is no ping, and no deadline', () => {
    const { runTo, sent } = scene({ pingIntervalMs: 0 })
    assert.equal(runTo(100_000), null)
    assert.deepEqual(sent, [])
  })

  test('a heartbeat message needs its own reply if a reply is expected', () => {
    const { runTo, liveness, sent } = scene({ heartbeat: heartbeat(500) })
    runTo(2200)
    liveness.replied()
    runTo(4200)
    liveness.data()
    assert.equal(runTo(9000), '4500: no reply within 500 ms of a heartbeat message')
    assert.deepEqual(sent, ['heartbeat 2000', 'heartbeat 4000'])
  })

  test('a heartbeat message without an expected reply is only sent', () => {
    const { runTo, sent } = scene({ heartbeat: heartbeat(null) })
    assert.equal(runTo(6000), null)
    assert.deepEqual(sent, ['heartbeat 2000', 'heartbeat 4000', 'heartbeat 6000'])
  })

  test('a feed that answers pings but sends no messages is silent', () => {
    const { runTo, liveness } = scene({ pingIntervalMs: 1000, idleTimeoutMs: 5000 })
    runTo(900)
    liveness.data()
    for (let ms = 1000; ms < 5900; ms += 100) {
      liveness.heard()
      assert.equal(runTo(ms), null)
    }
    liveness.heard()
    assert.equal(runTo(6000), '6000: no message for 5000 ms')
  })

  test('while the connection is paused, no deadline runs and heartbeats continue', () => {
    const paused = (ms: number): boolean => ms > 2500 && ms <= 60_000
    const { runTo, sent } = scene(
      { pingIntervalMs: 2000, pongTimeoutMs: 1000, heartbeat: heartbeat(1000), idleTimeoutMs: 3000 },
      paused,
    )
    assert.equal(runTo(60_000), null)
    assert.equal(sent.length, 60)
    assert.equal(runTo(70_000), '60500: no pong within 1000 ms of a ping')
  })

  test('ticks are short enough for the shortest deadline', () => {
    const tickMs = (options: Partial<LivenessOptions>): number => scene(options).liveness.tickMs
    assert.equal(tickMs({ pingIntervalMs: 30_000, pongTimeoutMs: 10_000 }), 1000)
    assert.equal(tickMs({ idleTimeoutMs: 500 }), 50)
    assert.equal(tickMs({ heartbeat: heartbeat(300) }), 30)
    assert.equal(tickMs({ idleTimeoutMs: 1 }), 10)
    assert.equal(tickMs({}), 1000)
  })
})
