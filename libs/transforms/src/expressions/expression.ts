import type { ConnectRecord } from '@tributary/connect-api'
import { transformErrors } from '../errors.ts'
import { compile } from './compile.ts'
import { beginCompilation, beginEvaluation, EvaluationFailure, LimitExceeded } from './limits.ts'
import type { Compiled, Scope } from './node.ts'
import { parseExpression, SyntaxFailure } from './syntax.ts'

/** What the result must be. */
export type ResultType = 'bool' | 'string' | 'any'

interface Results {
  readonly bool: boolean
  /** null: the expression gives null. */
  readonly string: string | null
  readonly any: unknown
}

/** An expression over a record, without side effects, that takes about 0.05 s and some tens of MB at most (limits.ts). */
export interface Expression<T = unknown> {
  readonly source: string
  /** Throws DataError EXPRESSION_FAILED. */
  evaluate(record: ConnectRecord): T
}

const NAMES = { bool: 'true or false', string: 'a text', any: 'a value' } as const

/**
 * Compiles an expression in CEL (https://cel.dev) over the variables `topic`, `key`, `value`, `headers`, `timestamp`, `partition`,
 * `keySchema` and `valueSchema`. `field`: the config key that holds it. Throws ConfigError EXPRESSION_INVALID with the place.
 */
export function compileExpression<R extends ResultType>(
  source: string,
  field: string,
  result: R,
): Expression<Results[R]> {
  const compiled = compiledFrom(source, field)
  if (result !== 'any' && compiled.type !== result && compiled.type !== 'unknown') {
    throw invalid(source, field, `it must give ${NAMES[result]}`)
  }
  const scope: Scope = { record: NO_RECORD, locals: [] }
  const evaluate = (record: ConnectRecord): unknown => {
    beginEvaluation()
    scope.record = record
    try {
      return checked(compiled.run(scope), result)
    } catch (error) {
      throw failure(error, source, field)
    } finally {
      // Nothing keeps a record longer than its turn.
      scope.record = NO_RECORD
      scope.locals.length = 0
    }
  }
  return { source, evaluate: evaluate as Expression<Results[R]>['evaluate'] }
}

const NO_RECORD: ConnectRecord = { topic: '', key: null, value: null, timestamp: null }

function compiledFrom(source: string, field: string): Compiled {
  beginCompilation()
  try {
    return compile(parseExpression(source), [])
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error
    throw invalid(source, field, `at character ${error.at + 1}: ${error.message}`)
  }
}

function invalid(source: string, field: string, why: string): Error {
  return transformErrors.EXPRESSION_INVALID(`Invalid value ${source} for configuration ${field}: ${why}`, { field })
}

function checked(value: unknown, result: ResultType): unknown {
  const fits =
    result === 'any' ||
    typeof value === (result === 'bool' ? 'boolean' : 'string') ||
    (result === 'string' && value === null)
  if (!fits)
    throw new EvaluationFailure(`it gives ${value === null ? 'null' : `a ${typeof value}`}, not ${NAMES[result]}`)
  return value
}

/**
 * Characters of an expression that an error shows. Of a longer one it shows none: a cut could leave a part of a secret, which nothing
 * would hide.
 */
const SHOWN = 200

function failure(error: unknown, source: string, field: string): unknown {
  // A RangeError is a time beyond the calendar, or a text beyond what JavaScript can hold.
  if (!(error instanceof EvaluationFailure || error instanceof LimitExceeded || error instanceof RangeError))
    return error
  const shown = source.length > SHOWN ? `of ${field}` : source
  return transformErrors.EXPRESSION_FAILED(`the expression ${shown} failed on this record: ${error.message}`)
}
