export { kafkaTaskRunner, type KafkaTaskRunner } from './kafka-task-runner.ts'
export { killContract, type KillContractOptions } from './kill-contract.ts'
