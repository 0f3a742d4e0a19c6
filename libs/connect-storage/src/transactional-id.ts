/**
 * The transactional id of a task: the same on every worker and in every generation, so that whoever starts the task fences whoever
 * had it (KIP-618). `group` is the service's, `<cluster>-<service>`.
 */
export function taskTransactionalId(group: string, connector: string, task: number): string {
  return `${group}-${connector}-${task}`
}
