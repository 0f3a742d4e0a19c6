import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { workspaceRoot } from '../workspace.ts'
import type { InnerImport } from './circles.ts'
import { isTestFile } from './layers.ts'

/** The folders that a README lists, relative to the root of the repository. A folder may import those after it. */
export interface FolderOrder {
  readonly readme: string
  readonly folders: readonly string[]
}

/** The sentence before the list of folders of a README. The list is the code block or table after it, up to an empty line. */
const PROMISE = /^Imports (?:between folders )?go one way[^\n]*\n\n([^]*?)\n\n/m
/** A folder at the front of a line, or of a row of a table. */
const FOLDER = /^(?:\| *)?`?([\w./-]+)\/`?(?= )/gm

/** @returns the order that the text of a README promises; null when it promises none. */
export function orderOf(readme: string, text: string): FolderOrder | null {
  const list = PROMISE.exec(text)?.[1]
  if (list === undefined) return null
  const folders = [...list.matchAll(FOLDER)].map(([, folder = '']) => join(dirname(readme), folder))
  return { readme, folders: folders.filter((folder) => !isTestFile(`${folder}/`)) }
}

/** The orders of all READMEs in apps/ and libs/. */
export function readOrders(): FolderOrder[] {
  const readmes = globSync('{apps,libs}/*/**/README.md', { cwd: workspaceRoot, exclude: ['**/node_modules'] })
  return readmes.sort().flatMap((readme) => orderOf(readme, readFileSync(join(workspaceRoot, readme), 'utf8')) ?? [])
}

/** @returns the imports that go up a list, each with the problem and its repair. Tests do not count. */
export function orderProblems(
  imports: readonly InnerImport[],
  orders: readonly FolderOrder[],
): { readonly at: InnerImport; readonly problem: string }[] {
  const shipped = imports.filter(({ file, target }) => !isTestFile(file) && !isTestFile(target))
  return shipped.flatMap((at) =>
    orders.flatMap(({ readme, folders }) => {
      const placeOf = (file: string): number => folders.findIndex((folder) => file.startsWith(`${folder}/`))
      const [from, to] = [placeOf(at.file), placeOf(at.target)]
      if (from < 0 || to < 0 || to >= from) return []
      const problem =
        `${folders[from]} may not import ${folders[to]}, which stands above it in ${readme}. ` +
        'Move what both need to a folder below, or pass it in as a parameter.'
      return [{ at, problem }]
    }),
  )
}
