import { type Comparison } from '../both-sides.ts'
import { alike, connectKeeps } from './lifecycle.ts'
import type { LinesFile } from './lines-file.ts'
import { create, get, post, put, remove } from './steps.ts'

/** Restarts of a connector that is running, paused or stopped. */
export async function restarts(comparison: Comparison, lines: LinesFile): Promise<void> {
  const config = { 'connector.class': 'FileStreamSource', topic: lines.topic, file: lines.file }
  const c = '/connectors/r'
  await comparison.steps(create({ name: 'r', config }))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  for (const query of [
    '',
    '?includeTasks=false',
    '?includeTasks=foo',
    '?onlyFailed=true',
    '?includeTasks=true&onlyFailed=true',
    '?includeTasks=TRUE&onlyFailed=false',
    '?includeTasks=true',
  ]) {
    await comparison.steps(post(`${c}/restart${query}`))
    await alike(comparison, c, 'RUNNING', ['RUNNING'])
  }
  await comparison.steps(
    post(`${c}/tasks/7/restart`),
    post(`${c}/tasks/-1/restart`),
    post(`${c}/tasks/x/restart`),
    post(`${c}/tasks/0/restart`),
  )
  await alike(comparison, c, 'RUNNING', ['RUNNING'])

  await comparison.steps(put(`${c}/pause`))
  await alike(comparison, c, 'PAUSED', ['PAUSED'])
  await comparison.steps(post(`${c}/restart?includeTasks=true&onlyFailed=true`))
  await alike(comparison, c, 'PAUSED', ['PAUSED'])
  // Connect writes two states in a race of its own, whose outcome is nearly always this one.
  await comparison.steps(post(`${c}/restart?includeTasks=true`))
  const stuck = await connectKeeps(comparison, c, 'RESTARTING', ['PAUSED'])
  await comparison.eventually(get(`${c}/status`, stuck ? { differs: 'restartOfPaused' } : {}))

  await comparison.steps(put(`${c}/resume`))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(put(`${c}/stop`))
  await alike(comparison, c, 'STOPPED', [])
  await comparison.steps(post(`${c}/restart?includeTasks=true&onlyFailed=true`), remove(c))
}

/** A connector whose task fails at its start until its file is repaired. */
export async function failures(comparison: Comparison, lines: LinesFile): Promise<void> {
  const config = { 'connector.class': 'FileStreamSource', topic: lines.topic }
  const f = '/connectors/f'
  const file = await lines.blocked('f')
  await comparison.steps(
    put(`${f}/config`, { ...config, file: file.path }),
    put('/connectors/g/config', { ...config, file: file.path }),
  )
  // A restarted task runs for a moment before it fails again, so nothing of this connector is compared afterwards.
  await alike(comparison, '/connectors/g', 'RUNNING', ['FAILED'])
  await comparison.steps(
    post('/connectors/g/restart?includeTasks=true&onlyFailed=true'),
    post('/connectors/g/tasks/0/restart'),
    remove('/connectors/g'),
  )
  await alike(comparison, f, 'RUNNING', ['FAILED'])
  await comparison.steps(put(`${f}/pause`))
  await alike(comparison, f, 'PAUSED', ['FAILED'])
  await comparison.steps(put(`${f}/resume`))
  await alike(comparison, f, 'RUNNING', ['FAILED'])
  await comparison.steps(put(`${f}/stop`))
  await alike(comparison, f, 'STOPPED', [])
  await comparison.steps(put(`${f}/resume`))
  await alike(comparison, f, 'RUNNING', ['FAILED'])
  await file.unblock()
  // With includeTasks=false only the connector is restarted.
  await comparison.steps(post(`${f}/restart?includeTasks=false`), put(`${f}/pause`))
  await alike(comparison, f, 'PAUSED', ['FAILED'])
  await comparison.steps(put(`${f}/resume`))
  await alike(comparison, f, 'RUNNING', ['FAILED'])
  await comparison.steps(post(`${f}/restart?onlyFailed=true`))
  await alike(comparison, f, 'RUNNING', ['FAILED'])
  await comparison.steps(post(`${f}/restart`))
  await comparison.eventually(get(`${f}/status`, { lenient: 'failedTaskRestarted' }))
  await comparison.steps(post(`${f}/tasks/0/restart`))
  await alike(comparison, f, 'RUNNING', ['RUNNING'])
  await comparison.steps(remove(f))
}
