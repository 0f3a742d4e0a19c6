import { compilePattern, PatternError } from '@tributary/config'
import { arithmetic } from './arithmetic.ts'
import { GLOBALS, METHODS } from './functions.ts'
import { charge, countPattern, EvaluationFailure, MAX_STEPS } from './limits.ts'
import { compileMacro, isMacro } from './macros.ts'
import type { Compiled, Names } from './node.ts'
import { type Node, SyntaxFailure } from './syntax.ts'
import { compare, equal, kindOf, member, noOverload } from './values.ts'
import { hasPath, isVariable, readPath, readVariable, select, VARIABLES } from './variables.ts'

/** Makes a tree of functions of an expression. Throws SyntaxFailure. */
export function compile(node: Node, names: Names): Compiled {
  switch (node.op) {
    case 'value':
      return constant(literal(node.args, node.pos))
    case 'id':
      return identifier(node, names)
    case '.':
    case '[]':
      return access(node, names)
    case 'call':
      return call(node, names)
    case 'rcall':
      return method(node, names)
    case 'list':
      return list(node, names)
    case 'map':
      return map(node, names)
    case '?:':
      return conditional(node, names)
    case '!_':
      return not(compile(node.args, names))
    case '-_':
      return negative(compile(node.args, names))
    case '&&':
    case '||':
      return logic(node, names)
    case '.?':
    case '[?]':
      throw new SyntaxFailure(`${node.op} is not available; write has(a.b) ? a.b : c`, node.pos)
    default:
      return binary(node, names)
  }
}

export function constant(value: unknown): Compiled {
  const type = typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'other'
  return { run: () => value, type, cost: 1, constant: { value } }
}

function literal(value: unknown, at: number): unknown {
  // An unsigned integer is an object of the parser's; here every integer is an int.
  const isUnsigned = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  const found = isUnsigned ? BigInt(value as never) : value
  // The sign before a literal is an operator.
  if (typeof found === 'bigint' && found > 2n ** 64n) throw new SyntaxFailure('an integer has 64 bits', at)
  return found
}

function identifier(node: Extract<Node, { op: 'id' }>, names: Names): Compiled {
  const name = node.args
  const place = names.lastIndexOf(name)
  if (place >= 0) return { run: ({ locals }) => locals[place], type: 'unknown', cost: 1 }
  if (!isVariable(name)) {
    throw new SyntaxFailure(
      `there is no variable ${name}; the variables are ${Object.keys(VARIABLES).join(', ')}`,
      node.pos,
    )
  }
  return { run: ({ record }) => readVariable(record, name), type: VARIABLES[name], cost: name === 'headers' ? 20 : 1 }
}

/** The fields that an expression names from the key or the value on, such as `value.after.id`; null for any other expression. */
function pathOf(node: Node, names: Names): { readonly root: 'key' | 'value'; readonly path: readonly string[] } | null {
  if (node.op === 'id') {
    const root = node.args
    return (root === 'key' || root === 'value') && !names.includes(root) ? { root, path: [] } : null
  }
  const name = fieldName(node)
  const base = name === null ? null : pathOf((node.args as [Node, unknown])[0], names)
  return base && { root: base.root, path: [...base.path, name!] }
}

function fieldName(node: Node): string | null {
  if (node.op === '.') return node.args[1]
  if (node.op !== '[]') return null
  const key = node.args[1]
  return key.op === 'value' && typeof key.args === 'string' ? key.args : null
}

function access(node: Extract<Node, { op: '.' | '[]' }>, names: Names): Compiled {
  const known = pathOf(node, names)
  if (known !== null) {
    const { root, path } = known
    return { run: ({ record }) => readPath(record, root, path), type: 'unknown', cost: path.length }
  }
  const base = compile(node.args[0], names)
  const key = node.op === '.' ? constant(node.args[1]) : compile(node.args[1], names)
  return {
    run: (scope) => select(base.run(scope), key.run(scope)),
    type: 'unknown',
    cost: base.cost + key.cost + 1,
  }
}

function call(node: Extract<Node, { op: 'call' }>, names: Names): Compiled {
  const [name, args] = node.args
  if (name === 'has') return has(node, args, names)
  return apply(name, GLOBALS, args, node, names)
}

function method(node: Extract<Node, { op: 'rcall' }>, names: Names): Compiled {
  const [name, receiver, args] = node.args
  if (isMacro(name)) return compileMacro(node, compile(receiver, names), names, compile)
  if (name === 'matches') return matches(node, compile(receiver, names), args)
  return apply(name, METHODS, [receiver, ...args], node, names)
}

function apply(name: string, functions: typeof GLOBALS, args: readonly Node[], node: Node, names: Names): Compiled {
  const fn = Object.hasOwn(functions, name) ? functions[name] : undefined
  const receiver = functions === METHODS ? 1 : 0
  if (fn === undefined) {
    const known = Object.keys(functions).map((known) => (receiver ? `x.${known}()` : `${known}()`))
    throw new SyntaxFailure(
      `there is no function ${receiver ? 'x.' : ''}${name}(); there are ${known.join(', ')}`,
      node.pos,
    )
  }
  const [least, most] = fn.arity
  if (args.length < least || args.length > most) {
    const wanted = least === most ? String(least - receiver) : `${least - receiver} or ${most - receiver}`
    throw new SyntaxFailure(`${name}() takes ${wanted} arguments, not ${args.length - receiver}`, node.pos)
  }
  const compiled = args.map((arg) => compile(arg, names))
  const { apply: run, returns = 'unknown' } = fn
  return {
    run: (scope) => run(compiled.map((arg) => arg.run(scope))),
    type: returns,
    cost: costOf(compiled) + 4,
  }
}

/** Whether a field is there and not null. False too when what should hold it is missing. */
function has(node: Node, args: readonly Node[], names: Names): Compiled {
  const path: string[] = []
  let base = args[0]
  for (let name = base && fieldName(base); base && name !== null; name = fieldName(base)) {
    path.unshift(name!)
    base = (base.args as [Node, unknown])[0]
  }
  if (args.length !== 1 || path.length === 0) {
    throw new SyntaxFailure('has() takes one field, such as has(value.after)', node.pos)
  }
  const { run, cost } = compile(base!, names)
  return { run: (scope) => hasPath(run(scope), path), type: 'bool', cost: cost + path.length + 1 }
}

function matches(node: Node, receiver: Compiled, args: readonly Node[]): Compiled {
  const pattern = args[0]
  if (args.length !== 1 || pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new SyntaxFailure('matches() takes one regular expression, written as a text in quotes', node.pos)
  }
  const tooMany = countPattern()
  if (tooMany !== null) throw new SyntaxFailure(tooMany, node.pos)
  const compiled = compilePatternAt(pattern.args, pattern.pos)
  const { maxLength } = compiled
  return {
    run: (scope) => {
      const text = receiver.run(scope)
      if (typeof text !== 'string') throw noOverload('matches', text, '')
      if (text.length > maxLength) {
        throw new EvaluationFailure(
          `matches(): the text has ${text.length} characters, of which ${maxLength} are allowed`,
        )
      }
      // The longest text may take a tenth of a second.
      charge((text.length / maxLength) * MAX_STEPS)
      return compiled.test(text)
    },
    type: 'bool',
    cost: receiver.cost + 10,
  }
}

function compilePatternAt(source: string, at: number): ReturnType<typeof compilePattern> {
  try {
    return compilePattern(source)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new SyntaxFailure(error.message, at)
  }
}

export function costOf(parts: readonly Compiled[]): number {
  return parts.reduce((sum, { cost }) => sum + cost, 0)
}

function list(node: Extract<Node, { op: 'list' }>, names: Names): Compiled {
  const items = node.args.map((item) => compile(item, names))
  if (items.every((item) => item.constant)) return constant(items.map((item) => item.constant!.value))
  return { run: (scope) => items.map((item) => item.run(scope)), type: 'other', cost: costOf(items) + 2 }
}

function map(node: Extract<Node, { op: 'map' }>, names: Names): Compiled {
  const entries = node.args.map(([key, value]) => [compile(key, names), compile(value, names)] as const)
  return {
    run: (scope) => new Map(entries.map(([key, value]) => [asKey(key.run(scope)), value.run(scope)])),
    type: 'other',
    cost: costOf(entries.flat()) + 10,
  }
}

const KEYS: ReadonlySet<string> = new Set(['string', 'int', 'double', 'bool'])

function asKey(value: unknown): unknown {
  const kind = kindOf(value)
  if (!KEYS.has(kind)) throw new EvaluationFailure(`unsupported key type: ${kind}`)
  return value
}

function conditional(node: Extract<Node, { op: '?:' }>, names: Names): Compiled {
  const [condition, yes, no] = node.args.map((part) => compile(part, names)) as [Compiled, Compiled, Compiled]
  return {
    run: (scope) => (asBool('?:', condition.run(scope)) ? yes.run(scope) : no.run(scope)),
    type: yes.type === no.type ? yes.type : 'unknown',
    cost: costOf([condition, yes, no]) + 1,
  }
}

export function asBool(operator: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new EvaluationFailure(`${operator} needs true or false, not ${noun(value)}`)
  return value
}

function noun(value: unknown): string {
  return value === null || value === undefined ? 'null' : `a value of the type ${typeof value}`
}

function not({ run, cost }: Compiled): Compiled {
  return { run: (scope) => !asBool('!', run(scope)), type: 'bool', cost: cost + 1 }
}

function negative({ run, cost, constant: known }: Compiled): Compiled {
  if (typeof known?.value === 'bigint' || typeof known?.value === 'number') return constant(-known.value)
  return { run: (scope) => minus(run(scope)), type: 'other', cost: cost + 1 }
}

function minus(value: unknown): unknown {
  return arithmetic('-', typeof value === 'bigint' ? 0n : 0, value)
}

function logic(node: Extract<Node, { op: '&&' | '||' }>, names: Names): Compiled {
  const [left, right] = node.args.map((part) => compile(part, names)) as [Compiled, Compiled]
  const { op } = node
  /** The side that decides alone, even when the other side fails. */
  const decisive = op === '||'
  return {
    run: (scope) => {
      let first: unknown
      try {
        first = left.run(scope)
      } catch (error) {
        if (error instanceof EvaluationFailure && right.run(scope) === decisive) return decisive
        throw error
      }
      if (first === decisive) return decisive
      const second = right.run(scope)
      if (second === decisive) return decisive
      asBool(op, first)
      return asBool(op, second)
    },
    type: 'bool',
    cost: left.cost + right.cost + 1,
  }
}

type Order = '<' | '<=' | '>' | '>='

const ORDER: Readonly<Record<Order, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function binary(node: Node, names: Names): Compiled {
  const [left, right] = (node.args as [Node, Node]).map((part) => compile(part, names)) as [Compiled, Compiled]
  const [a, b] = [left.run, right.run]
  const cost = left.cost + right.cost + 2
  const op = node.op as string
  switch (op) {
    case '==':
      return { run: (scope) => equal(a(scope), b(scope)), type: 'bool', cost }
    case '!=':
      return { run: (scope) => !equal(a(scope), b(scope)), type: 'bool', cost }
    case 'in':
      return { run: (scope) => isIn(a(scope), b(scope)), type: 'bool', cost }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const test = ORDER[op]
      return { run: (scope) => test(compare(op, a(scope), b(scope))), type: 'bool', cost }
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return { run: (scope) => arithmetic(op, a(scope), b(scope)), type: op === '+' ? 'unknown' : 'other', cost }
    default:
      throw new SyntaxFailure(`${op} is no operator of expressions`, node.pos)
  }
}

function isIn(value: unknown, container: unknown): boolean {
  if (Array.isArray(container)) {
    for (const item of container) {
      charge(1)
      if (equal(value, item)) return true
    }
    return false
  }
  if (typeof container !== 'object' || container === null) throw noOverload('in', value, container)
  return member(container, value) !== undefined
}
