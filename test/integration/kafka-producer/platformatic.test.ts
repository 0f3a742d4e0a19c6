import { producerContract } from './contract.ts'

producerContract('platformatic')
