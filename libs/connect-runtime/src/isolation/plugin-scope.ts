import { AsyncLocalStorage } from 'node:async_hooks'
import { runtimeErrors } from '../errors.ts'

/** A unit of work that has a status in the status topic. */
export interface ScopedUnit {
  readonly connector: string
  /** null: the connector itself. */
  readonly task: number | null
  /** The group's generation in which this worker got the unit. */
  readonly generation: number
  /** How often the unit has ended a process by holding its event loop. */
  readonly stalls: number
}

/** The owner of a plugin's running code, also of the callbacks that the code has left in timers, promises and sockets. */
export interface PluginScope {
  /** Name for logs and error messages: `task 0 of connector orders`. */
  readonly name: string
  /** null: the owner has no status. */
  unit(): ScopedUnit | null
  /** Fails the owner for an error that no call can report: its code threw in a callback, or held the event loop. */
  fail(error: unknown): void
}

const scopes = new AsyncLocalStorage<PluginScope>()
/** What waits for the first code of a plugin; null: it has run. */
let awaiting: (() => void)[] | null = []

/** Calls `start` before a plugin's code runs in this process for the first time; at once if it has run already. */
export function beforePluginCode(start: () => void): void {
  if (awaiting === null) start()
  else awaiting.push(start)
}

/** Runs a plugin's code. Everything that it starts (timers, promises, sockets) belongs to `scope` as well. */
export function runInScope<T>(scope: PluginScope, code: () => T): T {
  if (awaiting !== null) {
    const starts = awaiting
    awaiting = null
    for (const start of starts) start()
  }
  return scopes.run(scope, code)
}

/** Runs code that several plugins share, in no scope: the first plugin that calls the code does not own it. */
export function runOutsideScopes<T>(code: () => T): T {
  return scopes.exit(code)
}

/** The scope of the running code; null: code of the runtime. */
export function currentScope(): PluginScope | null {
  return scopes.getStore() ?? null
}

/**
 * Fails the scope in which an unhandled error was thrown. Returns false when no scope was active then. Call this in the
 * handlers of `uncaughtException` and `unhandledRejection`: Node restores the context of the throw or rejection there.
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
