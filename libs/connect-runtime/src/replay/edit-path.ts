import { runtimeErrors } from '../errors.ts'

/** A field's name, or an index of an array. */
export type Step = string | number

/** Longest path, in steps. */
const MAX_STEPS = 100

/**
 * Reads a path: `price`, `order.items[0].id`, `$.order`, `['a name']`; `$` is the whole value, and has no steps. Throws
 * REPLAY_EDIT_REFUSED.
 */
export function parsePath(path: string): Step[] {
  const steps: Step[] = []
  let at = path.startsWith('$') ? 1 : 0
  const refuse = (why: string) => runtimeErrors.REPLAY_EDIT_REFUSED(`The path ${path.slice(0, 200)} of an edit ${why}.`)
  if (path === '') throw refuse('is empty; $ is the whole value')
  while (at < path.length) {
    if (steps.length === MAX_STEPS) throw refuse(`has more than ${MAX_STEPS} steps`)
    const first = path[at]!
    if (first === '[') {
      const end = path.indexOf(']', at)
      const inside = end < 0 ? '' : path.slice(at + 1, end)
      const quoted = /^'([^']+)'$|^"([^"]+)"$/.exec(inside)
      if (quoted !== null) steps.push(quoted[1] ?? quoted[2]!)
      else if (/^\d{1,9}$/.test(inside)) steps.push(Number(inside))
      else throw refuse(`has neither an index nor a name in quotes at character ${at + 1}`)
      at = end + 1
      continue
    }
    if (first === '.') at++
    else if (at > 0) throw refuse(`has neither . nor [ at character ${at + 1}`)
    const rest = path.slice(at)
    const name = rest.slice(0, endOfName(rest))
    if (name === '') throw refuse(`has no name at character ${at + 1}`)
    steps.push(name)
    at += name.length
  }
  return steps
}

function endOfName(text: string): number {
  for (let i = 0; i < text.length; i++) if (text[i] === '.' || text[i] === '[') return i
  return text.length
}
