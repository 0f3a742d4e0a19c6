import { producerContract } from './contract.ts'

producerContract('tributary')
