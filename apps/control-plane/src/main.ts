import { runService } from '@tributary/service'
import { controlPlane } from './control-plane.ts'
import packageJson from '../package.json' with { type: 'json' }

await runService(controlPlane(packageJson.version))
