import { startKafka } from '@tributary/harness'
import { KafkaProxy } from './kafka-proxy.ts'

/** A broker of a test's own lets sessions be this short, so that the successor of a killed process starts soon. */
export const SHORT_SESSIONS = { 'group.min.session.timeout.ms': '500' } as const

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
