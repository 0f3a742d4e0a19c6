import { AsyncLocalStorage } from 'node:async_hooks'
import { runtimeErrors } from '../errors.ts'

/** A unit of work as the status topic knows it. */
export interface ScopedUnit {
  readonly connector: string
  /** null: the connector itself. */
  readonly task: number | null
  /** The group's generation in which this worker got it. */
  readonly generation: number
  /** How often it has ended a process by holding its event loop. */
  readonly stalls: number
}

/** On whose behalf a plugin's code runs, now or later in a callback that it left somewhere. */
export interface PluginScope {
  /** For people: `task 0 of connector orders`. */
  readonly name: string
  /** null: nothing that has a status. */
  unit(): ScopedUnit | null
  /** Something went wrong that no call could tell: its code threw in a callback, or held the event loop. */
  fail(error: unknown): void
}

const scopes = new AsyncLocalStorage<PluginScope>()

/** Runs a plugin's code. Everything that it starts (timers, promises, sockets) belongs to `scope` as well. */
export function runInScope<T>(scope: PluginScope, code: () => T): T {
  return scopes.run(scope, code)
}

/** Runs what is not the plugin's although its code led here: what others share must not bear the name of one. */
export function runOutsideScopes<T>(code: () => T): T {
  return scopes.exit(code)
}

/** Whose code is running; null: the runtime's own. */
export function currentScope(): PluginScope | null {
  return scopes.getStore() ?? null
}

/**
 * Takes an error that nobody handled to the scope in which it was thrown. False: it was thrown in none. In the handlers of
 * `uncaughtException` and `unhandledRejection` Node restores the context of the throw or rejection.
 */
export function failScopeOf(error: unknown): boolean {
  const scope = currentScope()
  if (scope === null) return false
  const reason = error instanceof Error ? error.message : String(error)
  scope.fail(
    runtimeErrors.UNHANDLED_ERROR(
      `code of ${scope.name} threw where nobody catches (a timer, an event's callback, a promise that is not awaited): ${reason}; this is a bug of the plugin`,
      { cause: error },
    ),
  )
  return true
}
