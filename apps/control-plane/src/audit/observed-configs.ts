import type { ConfigStore, ConnectorConfig } from '@tributary/connect-storage'

/**
 * The store, which tells each change of a connector's configuration before it is written: inside the lock that the writer
 * holds, so what was there before is what the change replaces. Of a target state it tells the connector alone.
 */
export function observedConfigs(
  store: ConfigStore,
  changing: (connector: string, before: ConnectorConfig | null, after: ConnectorConfig | null) => void,
): ConfigStore {
  return {
    get snapshot() {
      return store.snapshot
    },
    start: (signal) => store.start(signal),
    listen: (listener) => store.listen(listener),
    refresh: (signal) => store.refresh(signal),
    putConnectorConfig: (connector, config, targetState, beside) => {
      changing(connector, store.snapshot.config(connector), config)
      return store.putConnectorConfig(connector, config, targetState, beside)
    },
    removeConnector: (connector, beside) => {
      changing(connector, store.snapshot.config(connector), null)
      return store.removeConnector(connector, beside)
    },
    writeBeside: (beside) => store.writeBeside(beside),
    putTargetState: (connector, state) => {
      changing(connector, null, null)
      return store.putTargetState(connector, state)
    },
    putTaskConfigs: (connector, tasks, generation) => store.putTaskConfigs(connector, tasks, generation),
    putRestart: (request) => store.putRestart(request),
    putLoggerLevel: (logger, level) => store.putLoggerLevel(logger, level),
    stop: () => store.stop(),
  }
}
