import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as connectApi from '@tributary/connect-api'
import { ConnectError, DataError, errorKind, hasErrorType } from '@tributary/connect-api'
import ts from 'typescript'
import { packageErrors } from './generated-pages.ts'
import { isTestFile } from './imports/layers.ts'
import { workspaceRoot } from './workspace.ts'

/** The classes whose constructors take a code. Only they give an error a kind (see errorKind). */
const CLASSES: ReadonlySet<string> = new Set(
  Object.entries(connectApi).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'function' && (value === ConnectError || value.prototype instanceof ConnectError) ? [name] : [],
  ),
)

const MEND =
  "define the code in the package's src/errors.ts (see defineErrors of connect-api) and call it: grpcErrors.GRPC_CONNECT('…')"

/**
 * Uses of a name that only a package's errors.ts may contain. Elsewhere a class of errors is a type, or stands to the right of
 * `instanceof`, so that no other name can make an error. Comments do not count.
 */
function problems(file: string, text: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return
    const name = ts.isIdentifier(node) || ts.isStringLiteralLike(node) ? node.text : ''
    if (CLASSES.has(name) && !isHarmless(node)) found.push(`${file} makes a ${name} itself, or may: ${MEND}`)
    if (name === 'defineErrors') found.push(`${file} names defineErrors, which npm run docs does not see: ${MEND}`)
    if (ts.isNamespaceImport(node) && isOfConnectApi(node))
      found.push(`${file}: import the names of connect-api one by one`)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return found
}

/** An import or export under the same name, a type, or the right side of `instanceof`. */
function isHarmless({ parent }: ts.Node): boolean {
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) {
    return parent.propertyName === undefined || parent.isTypeOnly || isTypeOnly(parent.parent.parent)
  }
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword
}

function isTypeOnly(node: ts.Node): boolean {
  return ts.isImportClause(node)
    ? node.phaseModifier === ts.SyntaxKind.TypeKeyword
    : ts.isExportDeclaration(node) && node.isTypeOnly
}

function isOfConnectApi({ parent: { phaseModifier, parent } }: ts.NamespaceImport): boolean {
  const from = (parent as ts.ImportDeclaration).moduleSpecifier.getText()
  return phaseModifier !== ts.SyntaxKind.TypeKeyword && /@tributary\/connect-api|errors\.ts/.test(from)
}

describe('errors with a code', () => {
  it('are created only by defineErrors', () => {
    const files = globSync('{apps,libs}/*/**/*.{ts,mts,cts}', {
      cwd: workspaceRoot,
      exclude: ['**/node_modules'],
    }).filter((file) => !isTestFile(file) && !/^(apps|libs)\/[^/]+\/src\/(common-)?errors\.ts$/.test(file))
    assert.ok(files.length > 100)
    assert.deepEqual(
      files.flatMap((file) => problems(file, readFileSync(join(workspaceRoot, file), 'utf8'))),
      [],
    )
  })

  it('are found however they are created', () => {
    const seen = (text: string): number => problems('x.ts', text).length
    assert.equal(seen("throw new DataError(code, 'x')"), 1)
    assert.equal(seen('const E = class Own extends\n  ConfigError {}'), 1)
    assert.equal(seen("import { ConfigError as C } from '@tributary/connect-api'\nthrow new C('X', 'x')"), 1)
    assert.equal(seen("throw new api.ConfigError('X', 'x')"), 1)
    assert.equal(seen("throw new api['ConfigError']('X', 'x')"), 1)
    assert.equal(seen("import * as api from '@tributary/connect-api'"), 1)
    assert.equal(seen('const D = DataError'), 1)
    assert.equal(seen('const { DataError: D } = await import(`@tributary/connect-api`)'), 1)
    assert.equal(seen('export const own = defineErrors({})'), 1)
    assert.equal(seen("import { defineErrors as d } from '@tributary/connect-api'"), 1)
  })

  it('may be told apart, and named as types', () => {
    const seen = (text: string): number => problems('x.ts', text).length
    assert.equal(seen("// new DataError('X')\nthrow xErrors.X('x')"), 0)
    assert.equal(seen("import { DataError, type ConfigError as C } from '@tributary/connect-api'"), 0)
    assert.equal(seen('if (error instanceof DataError) throw error'), 0)
    assert.equal(seen('function x(error: DataError): ConfigError | null { return error as never }'), 0)
  })

  it('have a kind only if one of these classes made them', () => {
    assert.equal(errorKind(Object.assign(new Error('x'), { code: 'X', kind: 'data' })), 'fatal')
    assert.equal(errorKind(new DataError('X', 'x')), 'data')
  })

  it('have one owner for each code, and a text for users', async () => {
    const owners = new Map<string, string>()
    for (const { folder, definitions } of await packageErrors()) {
      for (const [code, { doc }] of Object.entries(definitions)) {
        assert.equal(owners.get(code), undefined, `${code} is defined by ${owners.get(code)} and by ${folder}`)
        assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
        assert.match(doc, /^.{20,}\.$/, `the doc of ${code} is no sentence`)
        owners.set(code, folder)
      }
    }
    assert.ok(owners.size > 50)
  })

  it('have a class of dead letters if they make a record bad', async () => {
    const codes = (await packageErrors()).flatMap(({ definitions }) =>
      Object.entries(definitions).flatMap(([code, { type }]) => (type === DataError ? [code] : [])),
    )
    assert.ok(codes.length > 20)
    assert.deepEqual(
      // The cause of TOLERANCE_EXCEEDED says why.
      codes.filter((code) => code !== 'TOLERANCE_EXCEEDED' && !hasErrorType(code)),
      [],
      'give each of them a class in libs/connect-api/src/dead-letter-type.ts',
    )
  })
})
