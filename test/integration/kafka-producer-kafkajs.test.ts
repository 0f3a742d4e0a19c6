import { producerContract } from './kafka-producer.contract.ts'

producerContract('kafkajs')
