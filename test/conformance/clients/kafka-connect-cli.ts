import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientStep } from './client-script.ts'
import type { ClientSides } from './client-sides.ts'

/** kafka-connect-cli 0.2.5: every command of `kafka_connect`. The program waits five seconds for each answer. */
export async function kafkaConnectCliSteps({
  config,
  failing,
  spoil,
  mend,
  folder,
}: ClientSides): Promise<readonly ClientStep[]> {
  const named = ['--name', 'cli']
  const running = ['cli', ['RUNNING', 'RUNNING']] as const
  const paused = ['cli', ['PAUSED', 'PAUSED']] as const
  const file = join(folder, 'cli.json')
  await writeFile(file, JSON.stringify({ ...config, note: 'new' }))
  const broken = JSON.stringify(failing)
  const mended = ['broken', ['RUNNING', 'RUNNING']] as const
  const connector = (verb: string, ...more: string[]): readonly string[] => ['connector', verb, ...more]
  const inline = ['--configuration', JSON.stringify(config)]
  return [
    { words: ['health-check', '--verbose'], prints: 'same' },
    { words: connector('create', ...named, ...inline), prints: 'same', then: running },
    { words: connector('create', ...named, ...inline), prints: 'same' },
    { words: connector('create', ...named, ...inline, '--if-not-exists'), prints: 'same' },
    { words: connector('create', '--name', 'bad', '--configuration', '{}'), prints: 'same', then: ['bad', 'absent'] },
    { words: connector('list'), prints: 'settles' },
    { words: connector('get', ...named), prints: 'settles' },
    { words: connector('get', '--name', 'missing'), prints: 'same' },
    { words: connector('configuration', ...named), prints: 'same' },
    { words: connector('update', ...named, '--configuration-file', file), prints: 'same', then: running },
    { words: connector('configuration', ...named), prints: /"note": "new"/ },
    { words: connector('pause', ...named), prints: 'same', then: paused },
    { words: connector('get', ...named), prints: 'settles' },
    { words: connector('resume', ...named), prints: 'same', then: running },
    { words: connector('pause-all', '--name', 'c.*', '--verbose'), prints: 'same', then: paused },
    { words: connector('resume-all', '--verbose'), prints: 'same', then: running },
    { words: connector('restart', ...named), prints: 'same', then: running },
    { words: connector('restart', '--name', 'missing'), prints: 'same' },
    { words: ['task', 'list', '--connector', 'cli'], prints: 'settles' },
    { words: ['task', 'restart', '--connector', 'cli', '--task', '0'], prints: 'same', then: running },
    { words: ['task', 'restart', '--connector', 'cli', '--task', '7'], prints: 'same' },
    { words: ['health-check', '--verbose'], prints: 'settles' },
    { words: connector('delete', ...named), prints: 'same', then: ['cli', 'absent'] },
    {
      given: spoil,
      words: connector('create', '--name', 'broken', '--configuration', broken),
      prints: 'same',
      then: ['broken', ['RUNNING', 'FAILED']],
    },
    { words: ['health-check', '--verbose'], prints: 'settles' },
    { words: connector('get', '--name', 'broken'), prints: 'settles' },
    { words: ['task', 'list', '--connector', 'broken'], prints: 'settles' },
    { given: mend, words: ['task', 'restart', '--connector', 'broken', '--task', '0'], prints: 'same', then: mended },
    { words: connector('delete-all', '--verbose'), prints: 'same', then: ['broken', 'absent'] },
    { words: connector('list'), prints: 'same' },
  ]
}
