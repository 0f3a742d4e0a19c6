export { type ApicurioOptions, type SchemaRegistry, sharedSchemaRegistry, startApicurio } from './apicurio.ts'
export { cacheFolder } from './cache-folder.ts'
export { makeCertificates, type Certificates } from './certificates.ts'
export { startChild, type Child, type ChildOptions, type Exit } from './child.ts'
export {
  type ConnectOracle,
  type OracleAnswer,
  type OracleError,
  type OracleRequest,
  type OracleResult,
  startConnectOracle,
} from './connect-oracle.ts'
export { type ElasticMqOptions, startElasticMq } from './elasticmq.ts'
export { HarnessError } from './errors.ts'
export { freePort, isFree } from './free-port.ts'
export { builtGo } from './go.ts'
export { type HttpServer } from './http-server.ts'
export { kafkaAnswers } from './kafka-answers.ts'
export { startKafka, type KafkaAddresses, type KafkaBroker, type KafkaOptions } from './kafka-broker.ts'
export { apiKeys, type Held, KafkaProxy, type ProxiedKafka, startProxiedKafka } from './kafka-proxy.ts'
export { startKafkaConnect, type KafkaConnect, type KafkaConnectOptions } from './kafka-connect.ts'
export { kafkaVersions, type CommandLine, type KafkaProgram, type KafkaVersion } from './kafka-runtime.ts'
export { consoleConsume, kafkaTool, type ConsumeOptions } from './kafka-tools.ts'
export { javaClassPath } from './maven.ts'
export { startMoto } from './moto.ts'
export { pythonPackages, type PythonPackages } from './python.ts'
export { type SharedAws, sharedElasticMq, sharedMoto } from './shared-aws.ts'
export { givenKafka, sharedKafka } from './shared-kafka.ts'
export { type AwsServer, sqsCall } from './sqs-call.ts'
export { type S3Server, startVersityGw } from './versitygw.ts'
export { temporaryFolder } from './watchdog.ts'
