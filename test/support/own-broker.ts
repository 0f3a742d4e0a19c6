import { startKafka } from '@tributary/harness'
import { KafkaProxy } from './kafka-proxy.ts'
import { SHORT_SESSIONS } from '../crash/ingest/rig.ts'

export interface ProxiedBroker {
  readonly brokers: readonly string[]
  readonly proxy: KafkaProxy
  stop(): Promise<void>
}

/** A broker of the test's own that advertises the address of a proxy: all connections to partitions and groups pass it. */
export async function startProxiedBroker(): Promise<ProxiedBroker> {
  const proxy = await KafkaProxy.listen()
  const advertised = { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }
  const broker = await startKafka({ properties: { ...SHORT_SESSIONS, ...advertised } })
  proxy.forwardTo(Number(broker.brokers[0]!.split(':')[1]))
  return {
    brokers: [proxy.address],
    proxy,
    stop: async () => {
      await proxy.close()
      await broker.stop()
    },
  }
}
