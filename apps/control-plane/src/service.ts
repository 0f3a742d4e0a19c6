import { runService } from '@tributary/service'
import packageJson from '../package.json' with { type: 'json' }
import { controlPlane } from './control-plane.ts'

await runService(controlPlane(packageJson.version))
