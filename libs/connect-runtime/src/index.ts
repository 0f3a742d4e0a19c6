export { connectWorker, type ConnectWorkerOptions, type WorkerHost } from './worker/connect-worker.ts'
export { WorkerSourceTask } from './task/worker-source-task.ts'
export {
  createTask,
  type CreatedTask,
  type ResolvedProps,
  resolveProps,
  type TaskEnvironment,
  type TaskRequest,
} from './unit/task-factory.ts'
export type { FormerRun } from './hand-over/predecessor-run.ts'
export type { Lease, TaskId, TaskState } from './task/task-parts.ts'
export { assignUnits, type AssignorMember, type AssignmentResult } from './assignment/assignor.ts'
export { TASK_METRICS } from './worker/task-metrics.ts'
export { systemClock } from '@tributary/async'
