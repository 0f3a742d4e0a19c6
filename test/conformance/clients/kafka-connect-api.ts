import type { ClientStep } from './client-script.ts'
import type { ClientSides } from './client-sides.ts'

/** kafka-connect-api 0.5.10: the calls that `kafka_connect_api_calls.py` passes on. */
export function kafkaConnectApiSteps({ config, failing, spoil, mend }: ClientSides): readonly ClientStep[] {
  const running = ['api', ['RUNNING', 'RUNNING']] as const
  const ill = ['ill', ['RUNNING', 'FAILED']] as const
  const created = JSON.stringify({ name: 'api', config })
  return [
    { words: ['cluster'], prints: /"version": "3\.9\.1"/ },
    { words: ['connectors'], prints: 'same' },
    { words: ['create', created], prints: 'same', then: running },
    { words: ['create', created], prints: /"raised": "GenericConflict"/ },
    { words: ['connectors'], prints: 'same' },
    ...['exists', 'status', 'state', 'config', 'connector_class', 'tasks'].map((read): ClientStep => ({
      words: [read, 'api'],
      prints: 'settles',
    })),
    { words: ['status', 'missing'], prints: 'same' },
    { words: ['set_config', 'api', JSON.stringify({ ...config, note: 'new' })], prints: 'same', then: running },
    { words: ['config', 'api'], prints: /"note": "new"/ },
    { words: ['pause', 'api'], prints: 'same', then: ['api', ['PAUSED', 'PAUSED']] },
    { words: ['state', 'api'], prints: 'same' },
    { words: ['resume', 'api'], prints: 'same', then: running },
    { words: ['restart', 'api'], prints: 'same', then: running },
    { words: ['restart_all_tasks', 'api'], prints: 'same', then: running },
    { words: ['cycle_connector', 'api'], prints: 'same', then: running },
    { given: spoil, words: ['create', JSON.stringify({ name: 'ill', config: failing })], prints: 'same', then: ill },
    { words: ['tasks', 'ill'], prints: /"state": "FAILED", "running": false/ },
    { given: mend, words: ['restart_all_tasks', 'ill'], prints: 'same', then: ['ill', ['RUNNING', 'RUNNING']] },
    { words: ['delete', 'ill'], prints: 'same', then: ['ill', 'absent'] },
    { words: ['root_logger'], prints: /"level": "INFO"/ },
    { words: ['set_root_logger', 'WARN'], prints: 'same' },
    { words: ['root_logger'], prints: /"level": "WARN"/ },
    { words: ['set_root_logger', 'INFO'], prints: 'same' },
    { words: ['delete', 'api'], prints: 'same', then: ['api', 'absent'] },
    { words: ['connectors'], prints: 'same' },
  ]
}
