import { boot } from '@tributary/service/boot'

await boot(() => import('./service.ts'))
