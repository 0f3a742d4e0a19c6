import { type ProxiedKafka, startProxiedKafka } from '@tributary/harness'
import type { ProducerDriver } from '@tributary/kafka-producer'
import { after, before, describe } from 'node:test'
import { connectionContract } from './connections.contract.ts'
import { deliveryContract } from './delivery.contract.ts'
import { faultContract } from './faults.contract.ts'
import { transactionContract } from './transactions.contract.ts'

/**
 * What every driver promises, on a real Kafka. The tests fetch the topic to count what Kafka kept, and never ask the producer.
 */
export function producerContract(driver: ProducerDriver): void {
  describe(`producer on ${driver}`, () => {
    let kafka: ProxiedKafka
    before(async () => {
      kafka = await startProxiedKafka()
    })
    after(() => kafka.stop())

    deliveryContract(driver)
    faultContract(driver, () => kafka)
    transactionContract(driver, () => kafka)
    connectionContract(driver)
  })
}
