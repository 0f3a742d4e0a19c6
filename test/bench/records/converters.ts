import { startApicurio } from '@tributary/harness'
import { benchRecords } from './bench.ts'
import { converterRows } from './settings.ts'

const registry = await startApicurio()
await benchRecords('converters', converterRows(registry.registryUrl))
await registry.stop()
