import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientSides } from './client-sides.ts'
import type { ClientStep } from './client-script.ts'

/** kafka-connect-py 1.0.0: every command of `kc`. */
export async function kafkaConnectPySteps({
  config,
  failing,
  spoil,
  mend,
  folder,
}: ClientSides): Promise<readonly ClientStep[]> {
  const running = ['kc', ['RUNNING', 'RUNNING']] as const
  const paused = ['kc', ['PAUSED', 'PAUSED']] as const
  const ill = ['ill', ['RUNNING', 'FAILED']] as const
  const well = ['ill', ['RUNNING', 'RUNNING']] as const
  const pluginClass = config['connector.class']!
  const file = join(folder, 'kc-2.json')
  await writeFile(file, JSON.stringify({ name: 'kc-2', config }))
  return [
    { words: ['info'], prints: /^\{"version": "3\.9\.1", "commit": "[\w-]+", "kafka_cluster_id": "[\w-]+"\}$/m },
    { words: ['list-plugins'], prints: new RegExp(pluginClass) },
    { words: ['list'], prints: 'same' },
    { words: ['create', '-d', JSON.stringify({ name: 'kc', config })], prints: 'same', then: running },
    { words: ['create', '-d', JSON.stringify({ name: 'kc', config })], prints: /409 Client Error: Conflict for url/ },
    { words: ['create', '-d', JSON.stringify({ name: 'x', config: {} })], prints: /400 Client Error: Bad Request/ },
    { words: ['list'], prints: 'same' },
    { words: ['list', '--expand', 'status'], prints: 'settles' },
    { words: ['list', '--expand', 'info'], prints: 'settles' },
    { words: ['list', '--expand', 'status', '--state', 'RUNNING', '--pattern', 'k.*'], prints: 'settles' },
    { words: ['list', '--expand', 'status', '--state', 'FAILED'], prints: 'settles' },
    ...['get', 'config', 'status', 'list-tasks', 'list-topics'].map((read): ClientStep => ({
      words: [read, 'kc'],
      prints: 'settles',
    })),
    { words: ['task-status', 'kc', '0'], prints: 'settles' },
    { words: ['task-status', 'kc', '7'], prints: 'same' },
    { words: ['status', 'missing'], prints: 'same' },
    { words: ['update', 'kc', '-d', JSON.stringify({ ...config, note: 'new' })], prints: 'same', then: running },
    { words: ['config', 'kc'], prints: /"note": "new"/ },
    { words: ['pause', 'kc'], prints: 'same', then: paused },
    { words: ['resume', 'kc'], prints: 'same', then: running },
    // The printed status is that of the moment, before or after the restart.
    { words: ['restart', 'kc'], prints: /"name": "kc"/, then: running },
    { words: ['restart', 'kc', '--include-tasks'], prints: /"name": "kc"/, then: running },
    { words: ['restart', 'kc', '--only-failed'], prints: /"name": "kc"/, then: running },
    { words: ['restart', 'missing'], prints: 'same' },
    { words: ['restart-task', 'kc', '0'], prints: 'same', then: running },
    { words: ['restart-task', 'kc', '7'], prints: 'same' },
    {
      given: spoil,
      words: ['create', '-d', JSON.stringify({ name: 'ill', config: failing })],
      prints: 'same',
      then: ill,
    },
    { words: ['list', '--expand', 'status', '--pattern', 'ill'], prints: 'settles' },
    { given: mend, words: ['restart', 'ill', '--include-tasks', '--only-failed'], prints: /"name": "ill"/, then: well },
    { words: ['delete', 'ill'], prints: 'same', then: ['ill', 'absent'] },
    { words: ['reset-topics', 'kc'], prints: 'same' },
    { words: ['list-topics', 'kc'], prints: 'settles' },
    { words: ['create', '-f', file], prints: 'same', then: ['kc-2', ['RUNNING', 'RUNNING']] },
    { words: ['pause', '--all', '--pattern', 'kc-.*'], prints: 'same', then: ['kc-2', ['PAUSED', 'PAUSED']] },
    { words: ['status', 'kc'], prints: 'settles' },
    { words: ['resume', '--all', '--state', 'PAUSED'], prints: 'same', then: ['kc-2', ['RUNNING', 'RUNNING']] },
    { words: ['restart', '--all', '--include-tasks'], prints: /"kc-2"/, then: ['kc-2', ['RUNNING', 'RUNNING']] },
    // The client sends the JSON text as a JSON string, which Connect cannot read.
    { words: ['validate-config', pluginClass, '-d', JSON.stringify(config)], prints: /Error: \w/ },
    { words: ['delete', 'kc'], prints: 'same', then: ['kc', 'absent'] },
    { words: ['delete', 'kc'], prints: 'same' },
    { words: ['delete', '--all'], prints: 'same', then: ['kc-2', 'absent'] },
    { words: ['list'], prints: 'same' },
  ]
}
