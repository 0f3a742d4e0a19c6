import { createRequire } from 'node:module'
import type { ASTNode } from '@marcbachmann/cel-js'

export type Node = ASTNode

/** Characters of an expression. */
const MAX_SOURCE = 10_000
/** Bounds of the parser. With them the compiled expression cannot overflow the stack. */
const LIMITS = { maxAstNodes: 1000, maxDepth: 60, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 }

/** The expression cannot be read, or names something that does not exist. `at`: characters from 0. */
export class SyntaxFailure extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

interface Library {
  readonly Environment: new (options: { readonly limits: typeof LIMITS }) => {
    parse(expression: string): { readonly ast: Node }
  }
}

const require = createRequire(import.meta.url)
let parser: InstanceType<Library['Environment']> | undefined

/** Reads a CEL expression. The parser is loaded with the first one. Throws SyntaxFailure. */
export function parseExpression(source: string): Node {
  if (source.length > MAX_SOURCE) {
    throw new SyntaxFailure(`it has ${source.length} characters, of which ${MAX_SOURCE} are allowed`, MAX_SOURCE)
  }
  parser ??= new (require('@marcbachmann/cel-js') as Library).Environment({ limits: LIMITS })
  try {
    return parser.parse(source).ast
  } catch (error) {
    const { summary, message, range } = error as { summary?: string; message: string; range?: { start: number } }
    throw new SyntaxFailure(summary ?? message, range?.start ?? 0)
  }
}
