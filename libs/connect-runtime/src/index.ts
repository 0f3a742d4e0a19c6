export { connectWorker, type ConnectWorkerOptions, type WorkerHost } from './connect-worker.ts'
export { WorkerSourceTask } from './worker-source-task.ts'
export {
  createTask,
  type CreatedTask,
  type ResolvedProps,
  resolveProps,
  type TaskEnvironment,
  type TaskRequest,
} from './task-factory.ts'
export type { Lease, TaskId, TaskState } from './task-parts.ts'
export { systemClock } from './system-clock.ts'
export { assignUnits, type AssignorMember, type AssignmentResult } from './assignor.ts'
export { TASK_METRICS } from './task-metrics.ts'
