import { isWorkerAddress } from '@tributary/connect-storage'
import type { MemberAssignment, MemberMetadata } from './group.ts'

/**
 * The shapes of what comes over the group's protocol. Whoever may join the group may send anything, and one member that
 * sends nonsense must not end the rounds of the others. Members that a later version adds are let through.
 */

/** An offset of the config topic; -1 before the first record. */
const OFFSET = /^-?\d{1,19}$/
const MAX_UNITS = 200_000
const MAX_UNIT_CHARS = 6100
const MAX_PLUGINS = 1000

export function isMemberMetadata(value: unknown): value is MemberMetadata {
  if (!isObject(value)) return false
  const { worker, cfg, own, preparing, ready, lock, plugins } = value
  return (
    typeof worker === 'string' &&
    isWorkerAddress(worker) &&
    matches(cfg, OFFSET) &&
    isList(own, isOwn) &&
    absentOr(preparing, isUnits) &&
    absentOr(ready, isUnits) &&
    absentOr(plugins, (each) => isUnits(each) && each.length <= MAX_PLUGINS) &&
    absentOr(lock, (each) => typeof each === 'string')
  )
}

export function isMemberAssignment(value: unknown): value is MemberAssignment {
  if (!isObject(value)) return false
  const { run, prepare, moving, cfg } = value
  return isUnits(run) && absentOr(prepare, isUnits) && absentOr(moving, isUnits) && matches(cfg, OFFSET)
}

function isOwn(value: unknown): boolean {
  return (
    Array.isArray(value) && isUnit(value[0]) && Number.isSafeInteger(value[1]) && (value[2] === 0 || value[2] === 1)
  )
}

function isUnits(value: unknown): value is string[] {
  return isList(value, isUnit)
}

function isUnit(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_UNIT_CHARS
}

function isList(value: unknown, isItem: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.length <= MAX_UNITS && value.every(isItem)
}

function absentOr(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value)
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
