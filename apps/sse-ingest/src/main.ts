import { boot } from '@tributary/service/boot'

await boot(async () => {
  const [{ runService }, { connectWorker }, { sseSource }] = await Promise.all([
    import('@tributary/service'),
    import('@tributary/connect-runtime'),
    import('./plugin.ts'),
  ])
  await runService(connectWorker({ name: 'sse-ingest', version: sseSource.version, plugins: [sseSource] }))
})
