import { boot } from '@tributary/service/boot'

await boot(async () => {
  const [{ runService }, { connectWorker }, { sqsSource }] = await Promise.all([
    import('@tributary/service'),
    import('@tributary/connect-runtime'),
    import('./plugin.ts'),
  ])
  await runService(connectWorker({ name: 'sqs-ingest', version: sqsSource.version, plugins: [sqsSource] }))
})
