import { connectWorker } from '@tributary/connect-runtime'
import { runService } from '@tributary/service'
import { grpcSource } from './plugin.ts'

await runService(connectWorker({ name: 'grpc-ingest', version: grpcSource.version, plugins: [grpcSource] }))
