import { boot } from '@tributary/service/boot'

await boot(async () => {
  const [{ runService }, { connectWorker }, { grpcSource }] = await Promise.all([
    import('@tributary/service'),
    import('@tributary/connect-runtime'),
    import('./plugin.ts'),
  ])
  await runService(connectWorker({ name: 'grpc-ingest', version: grpcSource.version, plugins: [grpcSource] }))
})
