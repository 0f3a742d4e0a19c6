import { isTestFile } from './layers.ts'

/** One import of a file of the same project. Both files are relative to the root of the repository. */
export interface InnerImport {
  readonly file: string
  readonly line: number
  /** As it stands in the import. */
  readonly specifier: string
  readonly target: string
}

/** Entry of a folder → entry of the same folder → the imports that lead from one to the other. */
type Graph = Map<string, Map<string, InnerImport[]>>

/**
 * In every folder, the entries (subfolders and files) import each other in one direction. So neither folders nor files
 * form a circle. Imports of types count, because a reader follows them too. Tests do not count.
 *
 * @returns the imports that close a circle, each with the problem and its repair. Of each circle these are the imports
 * of the rarest direction.
 */
export function circleProblems(
  imports: readonly InnerImport[],
): { readonly at: InnerImport; readonly problem: string }[] {
  const problems: { at: InnerImport; problem: string }[] = []
  for (const [folder, graph] of graphs(imports)) {
    for (let closing = weakestOfCircles(graph); closing !== null; closing = weakestOfCircles(graph)) {
      const { from, to, imports } = closing
      graph.get(from)?.delete(to)
      const back = wayBetween(graph, to, from).join(' imports ')
      const problem =
        `in ${folder}, ${from} may not import ${to}, because ${back}. ` +
        'Move what both need to a file or folder that imports neither, or pass it in as a parameter.'
      problems.push(...imports.map((at) => ({ at, problem })))
    }
  }
  return problems
}

/** Folder → the graph of its entries. */
export function graphs(imports: readonly InnerImport[]): Map<string, Graph> {
  const byFolder = new Map<string, Graph>()
  for (const one of imports) {
    if (isTestFile(one.file) || isTestFile(one.target)) continue
    const from = one.file.split('/')
    const to = one.target.split('/')
    const depth = from.findIndex((part, i) => part !== to[i])
    if (depth < 0) continue // A file that imports itself.
    const graph = upsert(byFolder, from.slice(0, depth).join('/'), (): Graph => new Map())
    const edges = upsert(graph, from[depth] ?? '', () => new Map<string, InnerImport[]>())
    upsert(edges, to[depth] ?? '', () => [] as InnerImport[]).push(one)
  }
  return byFolder
}

/** The edge of a circle with the fewest imports. */
function weakestOfCircles(graph: Graph): { from: string; to: string; imports: InnerImport[] } | null {
  const edges = [...graph].flatMap(([from, targets]) => [...targets].map(([to, imports]) => ({ from, to, imports })))
  edges.sort((a, b) => a.imports.length - b.imports.length)
  return edges.find(({ from, to }) => wayBetween(graph, to, from).length > 0) ?? null
}

/** @returns the entries of a shortest way, including both ends; empty when there is none. */
function wayBetween(graph: Graph, from: string, to: string): string[] {
  const reachedBy = new Map<string, string | null>([[from, null]])
  for (const entry of reachedBy.keys()) {
    for (const next of graph.get(entry)?.keys() ?? []) if (!reachedBy.has(next)) reachedBy.set(next, entry)
  }
  if (!reachedBy.has(to)) return []
  const way: string[] = []
  for (let at: string | null = to; at !== null; at = reachedBy.get(at) ?? null) way.unshift(at)
  return way
}

function upsert<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}
