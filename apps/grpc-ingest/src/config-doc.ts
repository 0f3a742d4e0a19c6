import { writeFileSync } from 'node:fs'
import { grpcSpec } from './config/spec.ts'

/** The page that documents every setting. */
export const CONFIG_PAGE = new URL('../CONFIG.md', import.meta.url)

export function configPage(): string {
  return grpcSpec.toMarkdown('Settings of the gRPC source')
}

if (import.meta.main) writeFileSync(CONFIG_PAGE, configPage())
