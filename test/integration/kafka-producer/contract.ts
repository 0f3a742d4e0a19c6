import { type ProxiedKafka, startProxiedKafka } from '@tributary/harness'
import type { ProducerDriver } from '@tributary/kafka-producer'
import { after, before, describe } from 'node:test'
import { connectionContract } from './connections.contract.ts'
import { deliveryContract } from './delivery.contract.ts'
import { faultContract } from './faults.contract.ts'
import { transactionContract } from './transactions.contract.ts'

/**
 * The promises of every driver, on a real Kafka. The tests read the topic to count the records, and never ask the
 * producer.
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
