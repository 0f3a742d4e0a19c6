import { UnitWorker } from './unit-worker.ts'

/**
 * A UnitWorker as a process, which a test kills or stops: `<brokers> <group> <name> <units> [session in ms] [instance id]
 * [ended]`. Prints a line for each tick.
 */
const [brokers = '', groupId = '', name = '', units = '', sessionTimeoutMs = '6000', id = '', ended = ''] =
  process.argv.slice(2)
const worker = new UnitWorker({
  brokers: brokers.split(','),
  groupId,
  name,
  units: () => units.split(','),
  sessionTimeoutMs: Number(sessionTimeoutMs),
  ...(id !== '' && { instance: { id, ended: ended === 'ended' } }),
  onTick: (tick) =>
    void process.stdout.write(`${JSON.stringify(tick)}
`),
})
// Ends with its parent.
process.stdin.resume().on('end', () => process.exit(0))
await worker.start()
