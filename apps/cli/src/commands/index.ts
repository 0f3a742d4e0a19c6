import type { Family } from '../cli.ts'
import { apply } from './apply.ts'
import { completion } from './completion.ts'
import { connectors } from './connectors.ts'
import { dlq } from './dlq.ts'
import { lifecycle } from './lifecycle.ts'
import { login } from './login.ts'
import { offsets } from './offsets.ts'
import { plugins } from './plugins.ts'
import { tail } from './tail.ts'
import { migrate } from '../migrate/command.ts'
import { versions } from './versions.ts'

/** One family of commands a file. */
export const families: readonly Family[] = [
  ...[connectors, apply, lifecycle, offsets, plugins, versions],
  ...[migrate, tail, dlq, login, completion],
]
