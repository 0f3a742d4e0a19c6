import type { Comparison } from '../both-sides.ts'
import { alike } from './lifecycle.ts'
import type { LinesFile } from './lines-file.ts'
import { create, get, patch, post, remove } from './steps.ts'

/**
 * `${file:…}` stays a reference wherever it is shown, and is resolved at the task: the offsets have the real name. What
 * cannot be resolved, as there is no such provider or key, stays as it is and is no error.
 */
export async function references(comparison: Comparison, lines: LinesFile): Promise<void> {
  const c = '/connectors/ref'
  const secrets = await lines.beside('secrets.properties', `lines=${lines.file}\nsize=7\n`)
  const config = {
    'connector.class': 'FileStreamSource',
    topic: lines.topic,
    file: `\${file:${secrets}:lines}`,
    'batch.size': `\${file:${secrets}:size}`,
    unknown: '${nix:a} ${file:/none',
  }
  await comparison.steps(create({ name: 'ref', config }), get(`${c}/config`))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(patch(`${c}/config`, { other: `\${file:${secrets}:none}` }), post(`${c}/restart`), remove(c))
  await comparison.eventually(get(`${c}/status`))
}
