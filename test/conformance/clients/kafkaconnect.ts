import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientStep } from './client-script.ts'
import type { ClientSides } from './client-sides.ts'

/** kafkaconnect 1.3.1 (LSST): every command for any connector. `create` is only for four sinks of other vendors. */
export async function kafkaconnectSteps({ config, folder }: ClientSides): Promise<readonly ClientStep[]> {
  const running = ['lsst', ['RUNNING', 'RUNNING']] as const
  const file = join(folder, 'lsst.json')
  await writeFile(file, JSON.stringify(config))
  const incomplete = join(folder, 'lsst-incomplete.json')
  await writeFile(incomplete, JSON.stringify({ ...config, topic: undefined }))
  return [
    { words: ['plugins'], prints: /"class": "org\.apache\.kafka\.connect\.file\.FileStreamSourceConnector"/ },
    { words: ['upload', file, '--name', 'lsst', '--dry-run'], prints: /"error_count": 0/ },
    { words: ['upload', incomplete, '--name', 'lsst'], prints: /"error_count": 1/, then: ['lsst', 'absent'] },
    { words: ['upload', file, '--name', 'lsst'], prints: 'same', then: running },
    { words: ['upload', file, '--name', 'lsst'], prints: 'same', then: running },
    { words: ['list'], prints: 'same' },
    ...['info', 'status', 'config', 'tasks', 'topics'].map((read): ClientStep => ({
      words: [read, 'lsst'],
      prints: 'settles',
    })),
    { words: ['info', 'missing'], prints: 'same' },
    { words: ['pause', 'lsst'], prints: 'same', then: ['lsst', ['PAUSED', 'PAUSED']] },
    { words: ['resume', 'lsst'], prints: 'same', then: running },
    { words: ['restart', 'lsst'], prints: 'same', then: running },
    { words: ['restart', 'missing'], prints: 'same' },
    { words: ['delete', 'lsst'], prints: 'same', then: ['lsst', 'absent'] },
    { words: ['delete', 'lsst'], prints: 'same' },
    { words: ['list'], prints: 'same' },
  ]
}
