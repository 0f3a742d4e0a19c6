import { boot } from '@tributary/service/boot'
import packageJson from '../package.json' with { type: 'json' }

await boot(async () => {
  const [{ runService }, { controlPlane }] = await Promise.all([
    import('@tributary/service'),
    import('./control-plane.ts'),
  ])
  await runService(controlPlane(packageJson.version))
})
