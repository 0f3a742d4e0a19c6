import type { ProducerDriver } from '@tributary/kafka-producer'
import { describe } from 'node:test'
import { connectionContract } from './connections.contract.ts'
import { deliveryContract } from './delivery.contract.ts'
import { faultContract } from './faults.contract.ts'
import { transactionContract } from './transactions.contract.ts'

/** What every driver must do, against a real Kafka; what was kept is counted by fetching it, never by asking the producer. */
export function producerContract(driver: ProducerDriver): void {
  describe(`producer on ${driver}`, () => {
    deliveryContract(driver)
    faultContract(driver)
    transactionContract(driver)
    connectionContract(driver)
  })
}
