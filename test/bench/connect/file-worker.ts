/** A worker with Kafka's file source, which a service of apps/ would not have. */
import { boot } from '@tributary/service/boot'

await boot(async () => {
  const [{ runService }, { connectWorker }, { fileSource }] = await Promise.all([
    import('@tributary/service'),
    import('@tributary/connect-runtime'),
    import('../../support/file-source.ts'),
  ])
  await runService(connectWorker({ name: 'file-ingest', version: fileSource.version, plugins: [fileSource] }))
})
