import { type ClientSides, FILE_SOURCE } from './client-sides.ts'
import type { ClientStep } from './client-script.ts'

/** org.sourcelab:kafka-connect-client 4.0.4, which AKHQ uses: every method of the library. */
export function kafkaConnectClientSteps({ config, failing, spoil, mend }: ClientSides): readonly ClientStep[] {
  const running = ['sl', ['RUNNING', 'RUNNING']] as const
  const ill = ['ill', ['RUNNING', 'FAILED']] as const
  const well = ['ill', ['RUNNING', 'RUNNING']] as const
  const created = JSON.stringify(config)
  const named = JSON.stringify({ name: 'sl', ...config })
  // AKHQ sends this for each plugin, to show the form of its settings.
  const asAkhq = JSON.stringify({ 'connector.class': FILE_SOURCE, topics: 't' })
  const reads = ['getConnector', 'getConnectorConfig', 'getConnectorStatus', 'getConnectorTopics', 'getConnectorTasks']
  return [
    { words: ['getConnectServerVersion'], prints: /"version":"3\.9\.1"/ },
    { words: ['getConnectorPlugins'], prints: new RegExp(FILE_SOURCE) },
    { words: ['validateConnectorPluginConfig', FILE_SOURCE, named], prints: /"errorCount":0,/ },
    { words: ['validateConnectorPluginConfig', FILE_SOURCE, asAkhq], prints: /"errorCount":2,/ },
    { words: ['getConnectors'], prints: 'same' },
    { words: ['addConnector', 'sl', created], prints: 'same', then: running },
    { words: ['addConnector', 'sl', created], prints: 'same' },
    { words: ['addConnector', 'bad', '{}'], prints: 'same', then: ['bad', 'absent'] },
    { words: ['getConnectors'], prints: 'same' },
    { words: ['getConnectorsWithExpandedStatus'], prints: 'settles' },
    { words: ['getConnectorsWithExpandedInfo'], prints: 'settles' },
    { words: ['getConnectorsWithAllExpandedMetadata'], prints: 'settles' },
    ...reads.map((read): ClientStep => ({ words: [read, 'sl'], prints: 'settles' })),
    { words: ['getConnectorTaskStatus', 'sl', '0'], prints: 'settles' },
    { words: ['getConnectorTaskStatus', 'sl', '7'], prints: 'same' },
    { words: ['getConnector', 'missing'], prints: 'same' },
    {
      words: ['updateConnectorConfig', 'sl', JSON.stringify({ ...config, note: 'new' })],
      prints: 'same',
      then: running,
    },
    { words: ['pauseConnector', 'sl'], prints: 'same', then: ['sl', ['PAUSED', 'PAUSED']] },
    { words: ['resumeConnector', 'sl'], prints: 'same', then: running },
    { words: ['restartConnector', 'sl'], prints: 'same', then: running },
    { words: ['restartConnectorWithTasks', 'sl'], prints: 'same', then: running },
    { words: ['restartConnectorTask', 'sl', '0'], prints: 'same', then: running },
    { words: ['restartConnectorTask', 'sl', '7'], prints: 'same' },
    { given: spoil, words: ['addConnector', 'ill', JSON.stringify(failing)], prints: 'same', then: ill },
    { given: mend, words: ['restartConnectorWithTasks', 'ill'], prints: 'same', then: well },
    { words: ['deleteConnector', 'ill'], prints: 'same', then: ['ill', 'absent'] },
    { words: ['resetConnectorTopics', 'sl'], prints: 'same' },
    { words: ['getConnectorTopics', 'sl'], prints: 'settles' },
    { words: ['deleteConnector', 'sl'], prints: 'same', then: ['sl', 'absent'] },
    { words: ['deleteConnector', 'sl'], prints: 'same' },
    { words: ['getConnectors'], prints: 'same' },
  ]
}
