import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { projects, workspaceRoot } from '../workspace.ts'
import { circleProblems, type InnerImport } from './circles.ts'
import { layerProblem } from './layers.ts'
import { type FolderOrder, orderProblems, readOrders } from './order.ts'

/** One import statement of the repository. */
export interface Import {
  /** Relative to the root of the repository. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly specifier: string
}

/** All forms of TypeScript and JavaScript. */
export function isCode(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file)
}

/** Every file of code in apps/, libs/ and deploy/, tests included, relative to the root of the repository. */
function codeFiles(): string[] {
  const options = { cwd: workspaceRoot, exclude: ['**/node_modules'] }
  return globSync(['{apps,libs}/*/**/*.*', 'deploy/**/*.*'], options).filter(isCode).sort()
}

/** All imports of `codeFiles`. */
export function readImports(): Import[] {
  return codeFiles().flatMap((file) => importsOf(file, readFileSync(join(workspaceRoot, file), 'utf8')))
}

/** The imports of one file, also those of `import('…')`. */
export function importsOf(file: string, text: string): Import[] {
  const found = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({ fileName, pos }))
  return (
    [...found, ...templateImports(file, text)]
      // The scanner takes the import of a .proto text in a string for one of TypeScript.
      .filter(({ fileName }) => !fileName.endsWith('.proto'))
      .map(({ fileName, pos }) => ({ file, line: text.slice(0, pos).split('\n').length, specifier: fileName }))
  )
}

/** Dynamic imports of a template with values in it, which the scanner leaves out. The specifier ends before the first value. */
function templateImports(file: string, text: string): { fileName: string; pos: number }[] {
  if (!/\bimport\b[^'"\n]*\([^'"]*`/.test(text)) return []
  const found: { fileName: string; pos: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [to] = node.arguments
      if (to !== undefined && ts.isTemplateExpression(to)) found.push({ fileName: to.head.text, pos: to.pos })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest))
  return found
}

/** Those that import a file by its path. */
export function innerImports(imports: readonly Import[]): InnerImport[] {
  return imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ file, line, specifier }) => ({ file, line, specifier, target: join(dirname(file), specifier) }))
}

/** @returns `file:line: what is wrong and how to mend it` for each import that the architecture forbids. */
export function importProblems(imports: readonly Import[], orders: readonly FolderOrder[] = readOrders()): string[] {
  const known = projects()
  const layers = imports.flatMap(({ file, line, specifier }) => {
    const problem = layerProblem(file, specifier, known)
    return problem === null ? [] : [`${file}:${line}: imports ${specifier}: ${problem}`]
  })
  const inner = innerImports(imports)
  const upward = orderProblems(inner, orders)
  // An import against the promised order closes circles of which the other imports are innocent.
  const accused = new Set(upward.map(({ at }) => at))
  const circles = circleProblems(inner.filter((one) => !accused.has(one)))
  const within = [...upward, ...circles].map(
    ({ at, problem }) => `${at.file}:${at.line}: imports ${at.specifier}: ${problem}`,
  )
  return [...layers, ...within]
}
