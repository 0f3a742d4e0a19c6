import type { Comparison, Step } from '../both-sides.ts'
import { get, JSON_TYPE, put } from './steps.ts'

const level = (path: string, body: unknown): Step => put(`/admin/loggers/${path}`, body)

export const LOGGERS: readonly Step[] = [
  get('/admin/loggers'),
  get('/admin/loggers/'),
  get('/admin/loggers/root'),
  get('/admin/loggers/nix'),
  level('a.b', { level: 'debug' }),
  level('a.b.c', { level: 'INFO' }),
  level('a.b', { level: 'warn', x: 'y' }),
  level('a.b/', { level: 'Trace' }),
  get('/admin/loggers'),
  get('/admin/loggers/a.b'),
  get('/admin/loggers/a.b.c'),
  get('/admin/loggers/a.b.c.d'),
  get('/admin/loggers/a'),
  get('/admin/loggers/a.b%2Ec'),
  ...['off', 'error', 'Fatal', 'all'].map((name) => level('z', { level: name })),
  get('/admin/loggers/z'),
  level('a.b', { level: 'bogus' }),
  level('a.b', { level: '' }),
  level('a.b', { level: ' debug ' }),
  level('a.b', { level: 5 }),
  level('a.b', {}),
  level('a.b', { Level: 'debug' }),
  level('a.b', { level: null }),
  ...['[]', '{', '', 'null', '{"level":{}}'].map((body): Step => ({ ...level('a.b', body), differs: 'clientMistake' })),
  put('/admin/loggers/a.b', undefined, { headers: JSON_TYPE, differs: 'clientMistake' }),
  ...['cluster', 'CLUSTER', 'worker', 'foo', ''].map((scope) => level(`a.b?scope=${scope}`, { level: 'debug' })),
  level('a.b?scope=cluster', { level: 'bogus' }),
  level('a.b?scope=cluster', {}),
  level('root', { level: 'warn' }),
  get('/admin/loggers/root'),
]

/** A level for the whole cluster arrives when the config topic has been read. */
export async function clusterLevels(comparison: Comparison): Promise<void> {
  await comparison.steps(level('c.d?scope=cluster', { level: 'error' }))
  await comparison.eventually(get('/admin/loggers/c.d'))
}
