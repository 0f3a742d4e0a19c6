import { writeFileSync } from 'node:fs'
import { websocketSpec } from './config/config.ts'

/** The page that documents every setting. */
export const CONFIG_PAGE = new URL('../CONFIG.md', import.meta.url)

export function configPage(): string {
  return websocketSpec.toMarkdown('Settings of the WebSocket source')
}

if (import.meta.main) writeFileSync(CONFIG_PAGE, configPage())
