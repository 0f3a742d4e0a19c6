import { boot } from '@tributary/service/boot'

await boot(() => (process.argv[2] === 'keys' ? import('./keys/main.ts') : import('./service.ts')))
