import { producerContract } from './contract.ts'

producerContract('kafkajs')
