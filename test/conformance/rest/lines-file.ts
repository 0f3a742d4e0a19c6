import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { OF_SIDE } from '../sides.ts'

/** A file of lines. Each side reads it into a topic of its own. */
export interface LinesFile {
  readonly file: string
  /** A placeholder that becomes another topic on each side. */
  readonly topic: string
  append(text: string): Promise<void>
  /** Writes another file into the same folder. Returns its path. */
  beside(name: string, text: string): Promise<string>
  /** The path of a file that cannot be opened (ENOTDIR) until it is unblocked. */
  blocked(name: string): Promise<{ readonly path: string; unblock(): Promise<void> }>
}

/** Creates a file of three lines, 14 bytes. It is removed with the test. */
export async function linesFile(t: TestContext): Promise<LinesFile> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'lines.txt')
  await writeFile(file, 'one\ntwo\nthree\n')
  return {
    file,
    topic: `t-${randomUUID()}-${OF_SIDE}`,
    append: (text) => appendFile(file, text),
    beside: async (name, text) => {
      const path = join(folder, name)
      await writeFile(path, text)
      return path
    },
    blocked: async (name) => {
      const path = join(folder, name, 'lines.txt')
      await writeFile(dirname(path), '')
      return {
        path,
        unblock: async () => {
          await rm(dirname(path))
          await mkdir(dirname(path))
          await writeFile(path, 'one\n')
        },
      }
    },
  }
}
