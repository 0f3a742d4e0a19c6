export { controlPlane, type ControlPlaneHost } from './control-plane.ts'
export { createControlPlane, type ControlPlaneOptions, type Stores } from './create-control-plane.ts'
export { controlPlaneSettings, type ControlPlaneSettings } from './settings.ts'
