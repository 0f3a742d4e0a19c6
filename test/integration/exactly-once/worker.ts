import { connectWorker } from '@tributary/connect-runtime'
import { GroupMember } from '@tributary/kafka'
import { runService } from '@tributary/service'
import { countersSource, othersSource } from './counters.ts'

/**
 * A worker with test plugins as a process of its own. With `LEASE=unchecked` it acts like a process that was stopped
 * between the check of its lease and the following write. Only Kafka's fencing then prevents harm.
 */
if (process.env['LEASE'] === 'unchecked') {
  GroupMember.prototype.leaseValid = () => true
  GroupMember.prototype.waitForLease = () => Promise.resolve()
}
const { SERVICE = 'counters', PLUGINS = 'counters' } = process.env
const plugins = PLUGINS.split(',').map((name) => (name === 'others' ? othersSource : countersSource))
await runService(connectWorker({ name: SERVICE, version: '1', plugins }))
