export { Intake, type IntakeOptions, type OverflowPolicy, type Pausable } from './intake.ts'
export { RateLimitedLog } from './rate-limited-log.ts'
export { restoredSequence } from './restored-sequence.ts'
export { TaskMetricsLog } from './task-metrics-log.ts'
