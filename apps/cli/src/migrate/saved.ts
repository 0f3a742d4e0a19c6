import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson, stringifyJson } from '@tributary/config'
import type { Config, OldConnector } from './old-connect.ts'
import { MigrateError } from './rest.ts'
import type { OffsetEntry } from './old-connect.ts'
import type { Translated } from './sources.ts'

/** How far a connector has moved. Each step is written down when it is done. */
export const STEPS = ['saved', 'ended', 'read', 'made', 'moved', 'done'] as const
export type Step = (typeof STEPS)[number]

/** All that is needed to go on, or back: one file for each connector. The configuration may hold secrets. */
export interface Saved {
  readonly step: Step
  readonly from: string
  readonly to: string
  readonly old: OldConnector
  /** The configuration here. */
  readonly config: Config
  /** How the old one was ended: before 3.5 there is no stop. */
  readonly ended: 'stopped' | 'deleted'
  /** As the old one had them, and what of them is for here; null: not read yet, or the old one does not tell. */
  readonly offsets: ({ readonly old: readonly OffsetEntry[] } & Translated) | null
}

export class SaveFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** null: nothing of this connector is saved. */
  async read(connector: string): Promise<Saved | null> {
    let text: string
    try {
      text = await readFile(this.#file(connector), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
    try {
      return parseJson(text) as Saved
    } catch (cause) {
      throw new MigrateError(`${this.#file(connector)} is no JSON. Mend it, or move it away`, cause)
    }
  }

  /** All that is saved. */
  async all(): Promise<Saved[]> {
    const files = await readdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const names = files.flatMap((file) => (file.endsWith('.json') ? [decodeURIComponent(file.slice(0, -5))] : []))
    return (await Promise.all(names.map((name) => this.read(name)))).filter((one) => one !== null)
  }

  /** Whole or not at all. */
  async write(saved: Saved): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    const file = this.#file(saved.old.name)
    await writeFile(`${file}.new`, `${stringifyJson(saved)}\n`, { mode: 0o600, flush: true })
    await rename(`${file}.new`, file)
  }

  #file(connector: string): string {
    return join(this.path, `${encodeURIComponent(connector).replaceAll('.', '%2E')}.json`)
  }
}
