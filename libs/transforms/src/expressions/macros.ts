import { charge, EvaluationFailure } from './limits.ts'
import type { Compiled, Names } from './node.ts'
import { type Node, SyntaxFailure } from './syntax.ts'
import { keysOf, kindOf } from './values.ts'

type Call = Extract<Node, { op: 'rcall' }>
type Compile = (node: Node, names: Names) => Compiled
type Loop = (items: readonly unknown[], each: (item: unknown, body: Compiled) => unknown) => unknown

const MACROS = ['all', 'exists', 'exists_one', 'filter', 'map']

export function isMacro(name: string): boolean {
  return MACROS.includes(name)
}

/**
 * Compiles `list.all(x, condition)` and the like. The keys of a map are its list. Each element costs as many steps as the body has
 * nodes, so that macros within macros end like everything else. Throws SyntaxFailure.
 */
export function compileMacro(node: Call, receiver: Compiled, names: Names, compile: Compile): Compiled {
  const [name, , args] = node.args
  const variable = args[0]
  if (variable?.op !== 'id' || args.length < 2 || args.length > (name === 'map' ? 3 : 2)) {
    throw new SyntaxFailure(`${name}() takes a variable and an expression, such as list.${name}(x, x.a == 1)`, node.pos)
  }
  const place = names.length
  const inner = [...names, variable.args]
  const body = compile(args.at(-1)!, inner)
  const condition = args.length === 3 ? compile(args[1]!, inner) : body
  const loop = LOOPS[name as keyof typeof LOOPS](condition, body)
  return {
    run: (scope) =>
      loop(items(receiver.run(scope), name), (item, part) => {
        charge(part.cost)
        scope.locals[place] = item
        return part.run(scope)
      }),
    type: name === 'map' || name === 'filter' ? 'other' : 'bool',
    cost: receiver.cost + 5,
  }
}

function items(list: unknown, name: string): readonly unknown[] {
  if (Array.isArray(list)) return list
  if (kindOf(list) === 'map') return keysOf(list as object)
  throw new EvaluationFailure(`no such overload: ${kindOf(list)}.${name}()`)
}

function bool(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new EvaluationFailure(`${name}() needs a condition that is true or false`)
  return value
}

/** Ends with the first element that decides. An element that fails counts only when none decides. */
function quantifier(name: string, decisive: boolean): (condition: Compiled) => Loop {
  return (condition) => (list, each) => {
    let failure: EvaluationFailure | null = null
    for (const item of list) {
      try {
        if (bool(name, each(item, condition)) === decisive) return decisive
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error
        failure ??= error
      }
    }
    if (failure !== null) throw failure
    return !decisive
  }
}

const LOOPS = {
  all: quantifier('all', false),
  exists: quantifier('exists', true),
  exists_one:
    (condition: Compiled): Loop =>
    (list, each) => {
      let found = 0
      for (const item of list) if (bool('exists_one', each(item, condition))) found++
      return found === 1
    },
  filter:
    (condition: Compiled): Loop =>
    (list, each) =>
      list.filter((item) => bool('filter', each(item, condition))),
  map:
    (condition: Compiled, body: Compiled): Loop =>
    (list, each) => {
      const results: unknown[] = []
      for (const item of list) {
        if (condition === body || bool('map', each(item, condition))) results.push(each(item, body))
      }
      return results
    },
} as const
