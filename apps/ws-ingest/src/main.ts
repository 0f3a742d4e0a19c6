import { boot } from '@tributary/service/boot'

await boot(async () => {
  const [{ runService }, { connectWorker }, { websocketSource }] = await Promise.all([
    import('@tributary/service'),
    import('@tributary/connect-runtime'),
    import('./plugin.ts'),
  ])
  await runService(connectWorker({ name: 'ws-ingest', version: websocketSource.version, plugins: [websocketSource] }))
})
