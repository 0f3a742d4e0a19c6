import type { Comparison } from '../both-sides.ts'
import { alike } from './lifecycle.ts'
import type { LinesFile } from './lines-file.ts'
import { create, get, patch, post, remove } from './steps.ts'

/**
 * `${file:…}` stays a reference wherever it is shown. The task resolves the reference, so offsets contain the real
 * name. A reference to an unknown provider or key stays unchanged and is not an error.
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
