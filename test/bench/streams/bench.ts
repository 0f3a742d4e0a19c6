/**
 * What one stream costs: `npm run bench -- grpc|ws [sections] [options]`. Sources are servers of other makes (bench-source/),
 * and each row stands beside its limit, measured in turn with it on the same source. Needs a quiet machine; uses
 * KAFKA_BROKERS, or starts a broker.
 *
 * Sections: `full` (full speed), `limits` (receive only, produce only), `variants` (other sources and other settings),
 * `rate` (an open loop), `quiet` (a slow one), `start`; WebSocket also `closes`.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inTurn, ratios, type Runs } from '../support/in-turn.ts'
import { readOptions } from '../support/options.ts'
import { Rig } from '../support/rig.ts'
import { machine, spread, table } from '../support/table.ts'
import { trees } from '../support/tree.ts'
import { measureReconnects, reconnectTable } from '../ws/reconnects.ts'
import { fullSpeed, ownReport, type Speed, speedTable } from './full-speed.ts'
import type { Protocol } from './protocols.ts'
import { startPacked, startSource } from './source.ts'
import { startUp } from './start-up.ts'
import { type Load, steady, steadySocket, steadyTable } from './steady.ts'
import { barePipe, bareSockets, type Pipe, tributary, warmUp } from './subjects.ts'

const SECTIONS = ['full', 'limits', 'variants', 'rate', 'quiet', 'start', 'closes'] as const
const OPTIONS = ['pairs', 'messages', 'rate', 'seconds', 'idle'] as const
const RESUME = {
  'grpc.resume.field': 'sequence',
  'grpc.resume.request.field': 'from',
  'grpc.resume.request.next': 'true',
}
/** Bytes of a message on the wire with the headers of its DATA frame and of gRPC, or of its WebSocket frame. */
const WIRE_BYTES = { grpc: 114, ws: 102, sse: NaN }

export async function benchStreams(protocol: Protocol): Promise<void> {
  const options = readOptions(SECTIONS, OPTIONS)
  const has = (section: (typeof SECTIONS)[number]): boolean => options.sections.has(section)
  const pairs = options.number('pairs', 3)
  const count = options.number('messages', 250_000)
  const feed = { count }
  const isGrpc = protocol.name === 'grpc'
  const text = isGrpc ? 'json' : 'pipe'
  const rig = await Rig.create()
  const all = await trees(options.folders)
  await warmUp(rig, all, protocol.app)
  const source = await startSource()
  const after = (): Promise<void> => rig.clean()
  const ours = (extra?: Readonly<Record<string, string>>): Pipe[] =>
    all.map((tree) => tributary(rig, tree, protocol, extra))
  const bare = (mode: 'json' | 'bytes' | 'pipe'): Pipe[] => (options.alone ? [] : [barePipe(rig, protocol, mode)])
  const speeds = (pipes: readonly Pipe[], from = source, what = feed, rounds = pairs): Promise<Runs<Speed>> =>
    inTurn(rounds, pipes.map((pipe) => ({ name: pipe.name, measure: () => fullSpeed(rig, (topic) => pipe.start(from, topic, what), count, pipe.committedOnly) })), after) // prettier-ignore
  const print = (text: string): void => console.log(`\n${text}`)
  const printSpeeds = (title: string, runs: Runs<Speed>): void => {
    print(speedTable(title, runs))
    for (const [name] of runs) {
      if (name === 'bare pipe' || !runs.has('bare pipe')) continue
      const speed = spread(ratios(runs, name, 'bare pipe', (s) => s.perSecond), 2) // prettier-ignore
      const cpu = spread(ratios(runs, name, 'bare pipe', (s) => s.cpuUs), 2) // prettier-ignore
      print(`${name} / bare pipe: ${speed} of the messages a second, ${cpu} of the CPU a message`)
    }
    if (!runs.has('before')) return
    const speed = spread(ratios(runs, 'Tributary', 'before', (s) => s.perSecond), 2) // prettier-ignore
    const cpu = spread(ratios(runs, 'Tributary', 'before', (s) => s.cpuUs), 2) // prettier-ignore
    print(`Tributary / before: ${speed} of the messages a second, ${cpu} of the CPU a message`)
  }
  const openLoop = async (load: Load, withSocket: boolean): Promise<void> => {
    const pipes = [...bare(text), ...ours()]
    const subjects = pipes.map((pipe) => ({ name: pipe.name, measure: () => steady(rig, pipe, source, load) }))
    const socket = { name: 'bare socket', measure: () => steadySocket(protocol, source, load) }
    const runs = await inTurn(pairs, withSocket ? [...subjects, socket] : subjects, after)
    print(steadyTable(`${load.rate.toLocaleString('en')} messages a second`, runs, load))
    for (const limit of ['before', 'bare socket', 'bare pipe'].filter((name) => runs.has(name))) {
      const cpu = spread(ratios(runs, 'Tributary', limit, (s) => s.steady.cpuUs), 2) // prettier-ignore
      print(`Tributary / ${limit}: ${cpu} of the CPU a message`)
    }
  }

  print(`${machine}; medians of ${pairs}, and the range`)
  if (has('full')) {
    const title = isGrpc ? 'grpc-go, JSON' : 'gorilla/websocket, text'
    printSpeeds(title, await speeds([...bare(text), ...ours()]))
    if (isGrpc) {
      const bytes = { 'grpc.value.format': 'bytes' }
      printSpeeds('grpc-go, bytes', await speeds([...bare('bytes'), ...ours(bytes)]))
      // Both read the resume field, whose CPU belongs to neither guarantee.
      const least = ours(RESUME).map((pipe) => ({ ...pipe, name: `${pipe.name}, at least once` }))
      const exactly = ours({ ...RESUME, 'exactly.once.support': 'required' })
      const runs = await speeds([...least, ...exactly])
      printSpeeds('grpc-go, JSON, exactly once', runs)
      for (const { name } of exactly) {
        const speed = spread(ratios(runs, name, `${name}, at least once`, (s) => s.perSecond), 2) // prettier-ignore
        print(`${name}, exactly once / at least once: ${speed} of the messages a second`)
      }
    }
  }
  if (has('limits')) {
    const receive = barePipe(rig, protocol, 'receive')
    const bytes = count * WIRE_BYTES[protocol.name]
    const runs = await inTurn(
      1,
      [
        { name: receive.name, measure: async () => ownReport(await receive.start(source, '', feed), count) },
        {
          name: 'bare socket',
          measure: () => ownReport(bareSockets(protocol, source, [feed], { bytes }), count),
        },
        { name: 'produce only', measure: () => produceOnly(rig, isGrpc ? 180 : 100) },
      ],
      after,
    )
    printSpeeds('limits', runs)
  }
  if (has('variants')) {
    if (isGrpc) {
      const unjoined = await startSource('-write-buffer', '0')
      const pipes = [...bare(text), ...ours()]
      printSpeeds('grpc-go, a write for each frame', await speeds(pipes, unjoined, feed, 1))
      await unjoined.process.stop()
    } else {
      const fields = { 'sequence.field': 'sequence', 'key.field': 'symbol' }
      printSpeeds(
        'gorilla/websocket, text, `sequence.field` and `key.field`',
        await speeds(ours(fields), source, feed, 1),
      )
      const binary = { count, as: 'binary' } as const
      printSpeeds('gorilla/websocket, binary', await speeds([...bare(text), ...ours()], source, binary, 1)) // prettier-ignore
    }
    const packed = await startPacked(protocol.name as 'grpc' | 'ws', count)
    const pipes = [...bare(text), ...ours()]
    printSpeeds('a source that packs 64 KiB into each write', await speeds(pipes, packed, feed, 1))
    await packed.process.stop()
  }
  if (has('rate')) {
    const load = { rate: options.number('rate', 10_000), seconds: options.number('seconds', 4), idleSeconds: options.number('idle', 3) } // prettier-ignore
    await openLoop(load, !options.alone)
  }
  if (has('quiet')) await openLoop({ rate: 100, seconds: options.number('seconds', 4), idleSeconds: 0 }, false)
  if (has('start')) {
    const extra = isGrpc ? RESUME : {}
    const subjects = all.map((tree) => ({
      name: tree.name,
      measure: () => startUp(rig, tree, protocol, source, extra),
    }))
    const runs = await inTurn(pairs, subjects, after)
    const rows = [...runs].map(([name, ms]) => [name, `${spread(ms)} ms`])
    print(table(['', 'start of the process to the first record'], rows))
  }
  if (has('closes') && protocol.name === 'ws') print(reconnectTable(await measureReconnects(rig, all[0]!)))
  await source.process.stop()
  await rig.close()
}

/** The producer alone, in a process of its own, at full speed. */
async function produceOnly(rig: Rig, recordBytes: number): Promise<Speed> {
  const args = [join(import.meta.dirname, '../producer.ts'), '3', 'tributary', 'full', String(recordBytes)]
  const env = { ...process.env, KAFKA_BROKERS: rig.connection.brokers.join() }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const row = JSON.parse(stdout) as { messagesPerSecond: number; cpuMicrosPerMessage: number; peakRssMiB: number; lost: number } // prettier-ignore
  return { perSecond: row.messagesPerSecond, cpuUs: row.cpuMicrosPerMessage, peakMiB: row.peakRssMiB, lost: row.lost }
}
