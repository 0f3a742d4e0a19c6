import { benchRecords } from './bench.ts'
import { TRANSFORM_ROWS } from './settings.ts'

await benchRecords('transforms', TRANSFORM_ROWS)
