import type { Comparison, Step } from '../both-sides.ts'
import { CONFIG, create, get, put, remove } from './steps.ts'

/** Names as they stand in a body and in a path. */
const NAMES: readonly (readonly [name: string, path: string])[] = [
  ['a b', 'a%20b'],
  ['a/b', 'a%2Fb'],
  ['ü€😀', '%C3%BC%E2%82%AC%F0%9F%98%80'],
  ['a+b', 'a+b'],
  ['100%', '100%25'],
  ['a%25b', 'a%2525b'],
  ['q?x#y&z=1', 'q%3Fx%23y&z=1'],
  [';a=b', '%3Ba=b'],
  [`"'<>\\^\`|[]`, '%22%27%3C%3E%5C%5E%60%7C%5B%5D'],
  ['a.b-c_d~e:f@g!h$i*j(k),l', 'a.b-c_d~e:f@g!h$i*j(k),l'],
  ['-1', '-1'],
  ['long'.repeat(60), 'long'.repeat(60)],
]

/** A connector of each name is created with POST, found by its path, created again with PUT, and deleted. */
export async function specialNames(comparison: Comparison): Promise<void> {
  await comparison.steps(
    ...NAMES.flatMap(([name, path]): Step[] => [
      create({ name, initial_state: 'STOPPED', config: CONFIG }),
      get(`/connectors/${path}`),
      get(`/connectors/${path}/topics`),
      put(`/connectors/${path}/config`, { ...CONFIG, a: 'b' }),
      create({ name, config: CONFIG }),
    ]),
    create({ name: '{a}', config: CONFIG }, { differs: 'bracesInName' }),
    get('/connectors/%7Ba%7D/config'),
    remove('/connectors/%7Ba%7D'),
    get('/connectors'),
    create({ name: ' a b\t', config: CONFIG }),
    create({ name: '\u00a0a', initial_state: 'STOPPED', config: CONFIG }),
    get('/connectors/%C2%A0a/config'),
    remove('/connectors/%C2%A0a'),
    ...NAMES.map(([, path]) => remove(`/connectors/${path}`)),
    put('/connectors/p+%2F%20%25/config', CONFIG),
    remove('/connectors/p+%2F%20%25/'),
    get('/connectors'),
  )
}
