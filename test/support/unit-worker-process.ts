import { UnitWorker } from './unit-worker.ts'

/** A UnitWorker as a process of its own, to be killed or stopped: `<brokers> <group> <name> <units> [session in ms]`; prints a line a tick. */
const [brokers = '', groupId = '', name = '', units = '', sessionTimeoutMs = '6000'] = process.argv.slice(2)
const worker = new UnitWorker({
  brokers: brokers.split(','),
  groupId,
  name,
  units: () => units.split(','),
  sessionTimeoutMs: Number(sessionTimeoutMs),
  onTick: (tick) =>
    void process.stdout.write(`${JSON.stringify(tick)}
`),
})
// Without its parent it is of no use.
process.stdin.resume().on('end', () => process.exit(0))
await worker.start()
