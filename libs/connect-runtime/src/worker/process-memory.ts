import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { MemoryBudget } from '@tributary/connect-api'
import { observableGauge } from '@tributary/telemetry'

/** Part of V8's heap that the budget may take at most: messages are partly objects of the heap. */
const HEAP_PART = 0.5

/**
 * The memory budget of this process: `percent` percent of the memory limit of its container (cgroup v1 or v2), or of the machine's
 * memory where there is no limit, and at most half of V8's heap.
 */
export function processMemoryBudget(percent: number): MemoryBudget {
  // Without a limit Node answers 0, or a number without meaning above the machine's memory.
  const constrained = process.constrainedMemory() || Infinity
  const available = Math.min(constrained, totalmem())
  const heap = getHeapStatistics().heap_size_limit
  return new MemoryBudget(Math.floor(Math.min((available * percent) / 100, heap * HEAP_PART)))
}

/** Registers the metrics of the process's budget. The metrics of each task have their share. */
export function registerMemoryMetrics(budget: MemoryBudget): void {
  const observation = (value: () => number) => () => [{ value: value(), attributes: {} }]
  observableGauge(
    'tributary_memory_budget_bytes',
    'Memory that messages waiting for Kafka may take, over all tasks of the process',
    observation(() => budget.limit),
  )
  observableGauge(
    'tributary_memory_budget_used_bytes',
    'Of this memory, taken at present',
    observation(() => budget.used),
  )
}
