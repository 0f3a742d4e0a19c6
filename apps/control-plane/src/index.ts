export { controlPlane, type ControlPlaneHost, type RunningControlPlane } from './control-plane.ts'
export { createControlPlane, type ControlPlaneOptions, type Stores } from './create-control-plane.ts'
export { controlPlaneSettings, type ControlPlaneSettings } from './settings.ts'
